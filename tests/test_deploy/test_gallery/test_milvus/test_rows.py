"""Rows in portions, ids that others have, texts that a server doesn't take; on Milvus Lite."""

import numpy as np
import pytest

pytest.importorskip("milvus_lite")

from mmreid_ext.deploy.gallery.milvus import expressions, rows, schema
from mmreid_ext.deploy.gallery.milvus.server import Address, Server
from mmreid_ext.deploy.gallery.records import GalleryModel, Rows
from mmreid_ext.errors import UserError

MODEL = GalleryModel("abc", "best.pth (abc)", 4)


@pytest.fixture
def server(milvus_uri, request):
    """A connection to an empty collection."""
    made = Server(Address(milvus_uri, request.node.name[:20]))
    schema.create_collection(made, MODEL)
    yield made
    made.call("drop_collection")
    made.close()


def pictures(count, **changes):
    vectors = np.random.default_rng(count).standard_normal((count, 4))
    columns = dict(
        embeddings=(vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float16),
        hashes=[bytes([number % 256, number // 256]) for number in range(count)],
        identities=[f"person {number % 3}" for number in range(count)],
        cameras=[None] * count,
        times=[float(number) for number in range(count)],
        sources=[f"{number}.jpg" for number in range(count)],
        thumbnails=[None] * count,
    )
    return Rows(**columns | changes)


def write(server, given):
    ids = rows.new_ids(server, given.hashes)
    rows.write_rows(server, schema.to_server(given, range(len(given)), ids, server.lite))
    return ids


def test_rows_come_back_in_portions(server, monkeypatch):
    monkeypatch.setattr(rows, "_PORTION_ROWS", 7)
    monkeypatch.setattr(rows, "_PORTION_IDS", 5)
    given = pictures(40, thumbnails=[b"jpeg"] * 40)
    ids = write(server, given)
    pages = list(
        rows.read_rows(server, fields=[*schema.FIELDS, "thumbnail", "embedding"], portion=9)
    )
    assert max(map(len, pages)) <= 9 and sum(map(len, pages)) == 40
    read = schema.from_server([row for page in pages for row in page], 4)
    order = np.argsort(ids)
    assert read.ids == sorted(ids)
    assert read.hashes == [given.hashes[place] for place in order]
    assert read.times == [given.times[place] for place in order]
    assert read.thumbnails == [b"jpeg"] * 40 and read.cameras == [None] * 40
    np.testing.assert_array_equal(read.embeddings, given.embeddings[order])
    assert rows.find_hashes(server, [*given.hashes, b"new"]) == dict(
        zip(given.hashes, ids, strict=True)
    )
    assert rows.count(server) == 40 and rows.count(server, expressions.ids(ids[:3])) == 3
    rows.delete_rows(server, ids[:12])
    assert rows.count(server) == 28 and rows.get_rows(server, ids[:13], ["hash"]).keys() == {
        ids[12]
    }


def test_an_id_that_another_hash_has(server, monkeypatch):
    own = schema.id_of

    def crowded(content, attempt=0):
        return 5 + attempt if attempt < 3 else own(content, attempt)

    monkeypatch.setattr(schema, "id_of", crowded)
    given = pictures(5)
    ids = write(server, given)
    assert sorted(ids)[:3] == [5, 6, 7] and len(set(ids)) == 5
    assert rows.find_hashes(server, given.hashes) == dict(zip(given.hashes, ids, strict=True))
    assert rows.find_hashes(server, [b"new"]) == {}


@pytest.mark.parametrize(
    "changes, message",
    [
        (dict(identities=["ü" * 2049]), "identity 'ü.*has 4,098 bytes.*at most 4,096"),
        (dict(sources=["a\udcff.jpg"]), "source='a .jpg' is no Unicode text"),
        (dict(thumbnails=[b"x" * 50_000]), "thumbnail of this size has 66,668 bytes"),
    ],
)
def test_what_the_server_would_not_take(server, changes, message):
    both = {name: [None, *values] for name, values in changes.items()}
    with pytest.raises(UserError, match=message):
        write(server, pictures(2, **both))
    assert rows.count(server) == 0
