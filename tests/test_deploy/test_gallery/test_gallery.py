"""One interface for all stores: what is given is checked, what is kept comes back."""

import datetime as dt
import subprocess
import sys

import numpy as np
import pytest
from helpers.galleries import MODEL, columns, expected, jpeg, pairs, same_lists, vectors

from mmreid_ext.deploy.gallery import Filters, Gallery, GalleryModel
from mmreid_ext.errors import MissingFileError, UserError


@pytest.fixture
def gallery(tmp_path):
    with Gallery(tmp_path / "people.db", MODEL) as opened:
        yield opened


def test_loads_neither_pytorch_nor_mm_nor_faiss():
    code = (
        "import sys, mmreid_ext.deploy.gallery; "
        "print({'torch', 'mmengine', 'mmcv', 'mmpretrain', 'faiss'} & set(sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.stdout.strip() == "set()", done.stderr


def test_what_is_kept_comes_back(gallery):
    table = columns(20)
    added = gallery.add(vectors(20), **table, thumbnails=[jpeg(1)] + [None] * 19)
    assert (added.added, added.known, added.ids) == (20, 0, list(range(1, 21)))
    found = gallery.get(added.ids)
    assert [hit.identity for hit in found] == table["identities"]
    assert [hit.camera for hit in found] == table["cameras"]
    assert [hit.time for hit in found] == table["times"]
    assert [hit.source for hit in found] == table["sources"]
    assert np.array_equal(gallery.embeddings(added.ids), vectors(20).astype(np.float16))
    assert [hit.has_thumbnail for hit in found] == [True] + [False] * 19
    assert gallery.thumbnail(1) == jpeg(1) and gallery.thumbnail(2) is None
    assert gallery.info().rows == 20 and gallery.info().thumbnails == 1


def test_nearest_equal_brute_force(gallery):
    rows = vectors(300)
    ids = gallery.add(rows, **columns(300)).ids
    queries = vectors(7, seed=5)
    passes = np.ones((7, 300), dtype=bool)
    for topk in (1, 10, 299, 300, 400):
        wanted = expected(queries, rows.astype(np.float16), ids, passes, topk)
        assert same_lists(pairs(gallery.search(queries, topk)), wanted)


def test_adding_again_changes_nothing(gallery):
    table = columns(10)
    first = gallery.add(vectors(10), **table)
    again = gallery.add(vectors(10, seed=9), **table)
    assert (again.added, again.known, again.ids) == (0, 10, first.ids)
    assert np.array_equal(gallery.embeddings(first.ids), vectors(10).astype(np.float16))


def test_a_known_picture_under_another_name_is_told(gallery):
    gallery.add(vectors(3), hashes=[b"a", b"b", b"c"], identities=["anna", None, "carl"])
    again = gallery.add(vectors(3), hashes=[b"a", b"b", b"c"], identities=["anna", "ben", None])
    assert again.conflicts == [2] and gallery.people() == {"anna": 1, "carl": 1}
    assert gallery.label(again.conflicts, "ben") == 1
    assert gallery.people() == {"anna": 1, "ben": 1, "carl": 1}


def test_without_a_hash_the_same_picture_is_known(gallery):
    rows = vectors(2)
    place = dict(cameras=["a", "a"], times=[1, 2], sources=["x", None])
    assert gallery.add(rows, **place).added == 2
    assert gallery.add(rows, **place, identities=["anna", None]).known == 2
    assert gallery.add(rows, **(place | dict(times=[1, None]))).added == 1


def test_twice_in_one_call(gallery):
    added = gallery.add(vectors(3), hashes=[b"a", b"b", b"a"])
    assert (added.added, added.known, added.ids) == (2, 1, [1, 2, 1])


def test_ids_are_never_given_again(gallery):
    gallery.add(vectors(3))
    assert gallery.delete(ids=[3, 99]) == 1
    assert gallery.add(vectors(1, seed=3)).ids == [4]


def test_nothing_there(gallery):
    assert gallery.search(vectors(2)) == [[], []]
    assert gallery.search(np.zeros((0, 16))) == [] and gallery.search([]) == []
    assert gallery.add([]).ids == [] and gallery.delete(ids=[]) == 0
    assert gallery.delete(identity="nobody") == 0 and gallery.people() == {}


def test_moments_are_utc(gallery):
    noon = dt.datetime(2026, 11, 27, 12)
    zone = dt.timezone(dt.timedelta(hours=2))
    gallery.add(vectors(2), times=[noon, noon.replace(tzinfo=zone)])
    first, second = gallery.get([1, 2])
    assert (first.time, first.time - second.time) == (1795780800.0, 7200.0)
    hits = gallery.search(vectors(1), filters=Filters(since=noon))[0]
    assert [hit.id for hit in hits] == [1]


def test_of_another_model(tmp_path, gallery):
    other = GalleryModel("f" * 64, "int8.onnx", 16)
    with pytest.raises(UserError, match=r"another model: best.onnx \(.*now int8.onnx \("):
        Gallery(gallery.place, other)
    with pytest.raises(UserError, match="another model"), Gallery(tmp_path / "b.db", other) as b:
        gallery.copy_to(b)


def test_a_new_gallery_needs_a_model(tmp_path):
    with pytest.raises(MissingFileError, match=r"none\.db"):
        Gallery(tmp_path / "none.db")
    with pytest.raises(MissingFileError, match=r"none\.db"):
        Gallery(tmp_path / "none.db", MODEL, read_only=True)
    assert not (tmp_path / "none.db").exists()


def test_copied_pictures_are_the_same(tmp_path, gallery):
    table = columns(25)
    gallery.add(vectors(25), **table, thumbnails=[jpeg(n) for n in range(25)])
    with Gallery(tmp_path / "b.db", MODEL) as other:
        assert gallery.copy_to(other, batch=10).added == 25
        assert other.get(range(1, 26)) == gallery.get(range(1, 26))
        assert other.thumbnail(25) == jpeg(24)
        assert gallery.copy_to(other).known == 25


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (dict(topk=0), "topk=0"),
        (dict(other_cameras_than=["a"]), "1 entries for 2"),
        (dict(filters=Filters(cameras="a")), "list of names"),
        (dict(filters=Filters(since=2, until=1)), "nothing lies between"),
        (dict(filters=Filters(since="today")), "unix seconds"),
    ],
)
def test_wrong_questions(gallery, arguments, message):
    with pytest.raises(UserError, match=message):
        gallery.search(vectors(2), **arguments)


def test_delete_says_what(gallery):
    with pytest.raises(UserError, match="either ids or identity"):
        gallery.delete()
    for wrong in (["a"], [True], [1.0], [None]):
        with pytest.raises(UserError, match="whole numbers"):
            gallery.delete(ids=wrong)


@pytest.mark.parametrize("id", [0, -1, 2**63, 10**30])
def test_ids_that_no_store_gives(gallery, id):
    gallery.add(vectors(2))
    assert gallery.thumbnail(id) is None and gallery.get([id, 1])[0].id == 1
    assert gallery.delete(ids=[id]) == 0 and gallery.label([id], "zoe") == 0
    assert not gallery.embeddings([id]).any() and gallery.get(np.array([2]))[0].id == 2
