"""Collections are made once, found again, and kept from other models."""

import pytest

pytest.importorskip("milvus_lite")

from mmreid_ext.deploy.gallery.milvus import schema
from mmreid_ext.deploy.gallery.milvus.opening import open_store
from mmreid_ext.deploy.gallery.milvus.server import Address, Server
from mmreid_ext.deploy.gallery.records import GalleryModel
from mmreid_ext.errors import MissingFileError, UserError
from mmreid_ext.verdicts.thresholds import Threshold

MODEL = GalleryModel("a" * 16, "best.pth", 4, (Threshold(0.01, 0.5, 0.9, 500, "sét"),))
OTHER = GalleryModel("b" * 16, "other.pth", 4)


@pytest.fixture
def place(milvus_uri, request):
    """A collection of its own for each test."""
    return Address(milvus_uri, request.node.name[:40])


def test_a_gallery_is_made_and_found_again(place):
    with pytest.raises(MissingFileError, match="no collection 'test_a_gallery"):
        open_store(place, MODEL, read_only=True)
    with pytest.raises(UserError, match="a new gallery needs model="):
        open_store(place, None)
    open_store(place, MODEL).close()
    again = open_store(place, None)
    assert again.model == MODEL and again.info().rows == 0
    again.close()
    with pytest.raises(UserError, match=r"another model: best.pth \(a+….*now other.pth \(b+…"):
        open_store(place, OTHER)
    for change in ("add", "delete", "label"):
        closed = open_store(place, MODEL, read_only=True)
        with pytest.raises(UserError, match=f"Gallery.{change}: .*opened read_only"):
            getattr(closed, change)(*[[]] * (1 if change == "add" else 2))
        closed.close()


def test_the_collection_of_somebody_else(place):
    server = Server(place)
    server.client.create_collection(place.collection, dimension=4, timeout=20)
    server.close()
    with pytest.raises(UserError, match="'test_the_.*' at .* wasn't made by mmreid_ext"):
        open_store(place, MODEL)


def test_a_later_format(place, monkeypatch):
    monkeypatch.setattr(schema, "FORMAT", 2)
    open_store(place, MODEL).close()
    monkeypatch.setattr(schema, "FORMAT", 1)
    with pytest.raises(
        UserError, match="is of format 2, this version of mmreid_ext reads format 1"
    ):
        open_store(place, MODEL)


def test_what_the_collection_says_may_stand_in_its_description(place):
    """A server may not keep properties that it doesn't know."""
    store = open_store(place, MODEL)
    real = store.server.client.describe_collection

    def without_properties(*args, **options):
        found = real(*args, **options)
        return found | {"properties": {}, "description": found["properties"][schema.PROPERTY]}

    store.server.client.describe_collection = without_properties
    assert schema.read_model(store.server) == MODEL
    store.close()


def test_two_who_make_one_collection(place, monkeypatch):
    open_store(place, MODEL).close()
    real, asked = Server.call, []

    def late(self, name, **arguments):
        if name == "has_collection" and not asked:
            asked.append(name)
            return False
        return real(self, name, **arguments)

    monkeypatch.setattr(Server, "call", late)
    store = open_store(place, MODEL)
    assert store.model == MODEL and asked
    store.close()
