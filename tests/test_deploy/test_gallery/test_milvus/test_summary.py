"""People and cameras are counted, and counted again when something changed."""

import pytest

from mmreid_ext.deploy.gallery.milvus import rows, summary
from mmreid_ext.deploy.gallery.milvus.expressions import NO_TIME
from mmreid_ext.deploy.gallery.milvus.summary import Summary, SummaryCache


def row(identity="", camera="", time=NO_TIME):
    return dict(id=1, identity=identity, camera=camera, time=time)


def test_rows_are_counted():
    found = Summary()
    found.count([row("lea", "door", 5.0), row("lea", time=-3.0), row()])
    found.count([row("tom", "hall")])
    found.count([row("tom", time=9.0)])
    assert found.rows == 5 and found.unnamed == 1
    assert found.people == {"lea": 2, "tom": 2} and found.cameras == {"door": 1, "hall": 1}
    assert (found.first, found.last) == (-3.0, 9.0)


@pytest.fixture
def there(monkeypatch):
    """Rows of a collection, and how often they were read."""
    content, reads = [row("lea")], []
    monkeypatch.setattr(rows, "count", lambda server: len(content))

    def read(server, fields, portion):
        reads.append(1)
        yield list(content)

    monkeypatch.setattr(rows, "read_rows", read)
    return content, reads


def test_a_summary_is_kept_until_something_changes(there, monkeypatch):
    content, reads = there
    cache = SummaryCache(None)
    assert cache.now().people == {"lea": 1} and cache.now().rows == 1 and len(reads) == 1
    content.append(row("tom"))
    assert cache.now().people == {"lea": 1, "tom": 1} and len(reads) == 2
    cache.forget()
    cache.now()
    assert len(reads) == 3
    monkeypatch.setattr(summary, "SECONDS", -1)
    cache.now()
    assert len(reads) == 4
