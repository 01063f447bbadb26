"""What only the store on a server does; test_contract.py has what every store does."""

import numpy as np
import pytest

pytest.importorskip("milvus_lite")

from mmreid_ext.deploy.gallery.milvus.opening import open_store
from mmreid_ext.deploy.gallery.milvus.server import Address, Server
from mmreid_ext.deploy.gallery.milvus.store import MAX_TOPK
from mmreid_ext.deploy.gallery.records import Filters, GalleryModel, Rows
from mmreid_ext.errors import UserError

MODEL = GalleryModel("abc", "best.pth", 4)


@pytest.fixture
def store(milvus_uri, request):
    made = open_store(Address(milvus_uri, request.node.name[:40]), MODEL)
    yield made
    made.close()


def given(hashes):
    count = len(hashes)
    nothing = [None] * count
    vectors = np.eye(4, dtype=np.float16)[np.arange(count) % 4]
    return Rows(vectors, list(hashes), nothing, nothing, nothing, nothing, nothing)


def test_ids_are_equal_everywhere(store, milvus_uri):
    other = open_store(Address(milvus_uri, "elsewhere"), MODEL)
    assert store.add(given([b"a", b"b"])).ids == other.add(given([b"b", b"a"])).ids[::-1]
    other.close()


def test_two_who_add_one_picture_add_one_row(store, monkeypatch):
    """Neither of the two sees the other's rows when it looks."""
    from mmreid_ext.deploy.gallery.milvus import rows

    store.add(given([b"a", b"b"]))
    ids = store.find([b"a", b"b"])
    monkeypatch.setattr(rows, "find_hashes", lambda server, hashes: {})
    monkeypatch.setattr(rows, "new_ids", lambda server, hashes: ids)
    store.add(given([b"a", b"b"]))
    monkeypatch.undo()
    assert store.info().rows == 2


def test_long_lists_are_refused_before_they_are_asked_for(store):
    with pytest.raises(UserError, match=f"topk={MAX_TOPK + 1}, on a Milvus server at most 16,384"):
        store.search(np.eye(4, dtype=np.float32)[:1], MAX_TOPK + 1, Filters(), None)


def test_a_server_that_fails_is_one_line(store, monkeypatch, capfd):
    from pymilvus.exceptions import MilvusException

    def failing(*args, **options):
        raise MilvusException(message="quota\nexceeded")

    monkeypatch.setattr(store.server.client, "search", failing)
    with pytest.raises(UserError, match=r"127.0.0.1:\d+ failed to search in .*: quota exceeded\.$"):
        store.search(np.eye(4, dtype=np.float32)[:1], 1, Filters(), None)
    monkeypatch.setattr(Server, "guarded", lambda self, name, function: function())
    with pytest.raises(MilvusException):
        store.search(np.eye(4, dtype=np.float32)[:1], 1, Filters(), None)
    assert "Traceback" not in capfd.readouterr().err


def test_a_server_with_float16_gets_float16(store, monkeypatch):
    """Milvus Lite has none; what a server would get is looked at instead."""
    seen = {}

    def upsert(name, data, timeout):
        seen["rows"] = data

    def search(name, data, **options):
        seen["queries"] = data
        return [[]]

    monkeypatch.setattr(store.server, "lite", False)
    monkeypatch.setattr(store.server.client, "upsert", upsert)
    monkeypatch.setattr(store.server.client, "search", search)
    store.add(given([b"new"]))
    store.search(np.eye(4, dtype=np.float32)[:1], 1, Filters(), None)
    assert seen["rows"][0]["embedding"].dtype == np.float16
    assert seen["queries"][0].dtype == np.float16
