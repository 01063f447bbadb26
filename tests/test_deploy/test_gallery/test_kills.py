"""Processes that add are killed, and several work at once: nothing acknowledged is lost.

The long form is tools/benchmarks/gallery.py; this one uses its parts.
"""

import sqlite3
import sys

import pytest
from helpers.paths import TOOLS

pytest.importorskip("faiss")


@pytest.fixture
def many(monkeypatch):
    monkeypatch.syspath_prepend(str(TOOLS / "benchmarks"))
    from gallery_parts import many

    yield many
    for name in [name for name in sys.modules if name.startswith("gallery_parts")]:
        del sys.modules[name]


@pytest.mark.slow
def test_five_kills(many, tmp_path):
    place = str(tmp_path / "people.db")
    found = many.kills(place, 64, count=5, batch=50, seed=1)
    assert found["kills"] == 5 and found["lost"] == [] and found["half"] == []
    assert found["there"] >= found["acknowledged"] >= 5 * 50
    with sqlite3.connect(place) as database:
        assert database.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    database.close()


@pytest.mark.slow
def test_two_add_while_one_searches(many, tmp_path):
    found = many.together(str(tmp_path / "people.db"), 64, seconds=2, batch=20)
    assert found["lost_batches"] == found["half_batches"] == 0
    assert min(found["acknowledged"]) > 0
    seen = found["searcher"]
    assert seen["monotonic"] and seen["last"] > seen["first"] and seen["searches"] > 0
