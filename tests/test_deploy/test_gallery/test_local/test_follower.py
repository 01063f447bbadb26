"""A gallery sees what other connections have written, deletions and names included."""

import numpy as np
import pytest
from helpers.galleries import MODEL, columns, vectors

from mmreid_ext.deploy.gallery import Filters, Gallery
from mmreid_ext.errors import UserError


@pytest.fixture
def two(tmp_path):
    with Gallery(tmp_path / "a.db", MODEL) as one, Gallery(tmp_path / "a.db") as other:
        yield one, other


def ids_of(gallery, **filters):
    return [hit.id for hit in gallery.search(vectors(1), 9999, Filters(**filters))[0]]


def test_others_pictures_appear_and_go(two):
    one, other = two
    one.add(vectors(5000, seed=1))
    assert sorted(ids_of(other)) == list(range(1, 5001))
    one.add(vectors(3, seed=2))
    assert sorted(ids_of(other)) == list(range(1, 5004))
    one.delete(ids=[2, 5003])
    assert sorted(ids_of(other)) == [1, *range(3, 5003)]


def test_others_names_appear(two):
    one, other = two
    one.add(vectors(9), **columns(9))
    assert len(ids_of(other)) == 9
    one.label([2, 4], "zoe")
    assert sorted(ids_of(other, identities=["zoe"])) == [2, 4]
    one.label([2], None)
    assert ids_of(other, identities=["zoe"]) == [4]


def test_added_and_deleted_between_two_searches(two):
    one, other = two
    one.add(vectors(4))
    assert len(ids_of(other)) == 4
    one.add(vectors(4, seed=2))
    one.delete(ids=[6])
    assert sorted(ids_of(other)) == [1, 2, 3, 4, 5, 7, 8]


def test_deleted_before_loading(two):
    one, other = two
    one.add(vectors(4))
    one.delete(ids=[1, 4])
    one.label([2], "zoe")
    assert sorted(ids_of(other)) == [2, 3] and ids_of(other, identities=["zoe"]) == [2]


def test_nothing_new_reads_nothing(two, monkeypatch):
    one, _ = two
    one.add(vectors(4))
    one.refresh()
    read = []
    follower = one.store._follower
    monkeypatch.setattr(follower, "_read_new", lambda index: read.append(1))
    one.search(vectors(1))
    assert read == []
    one.add(vectors(1, seed=4))
    one.search(vectors(1))
    assert read == [1]


def test_deletion_reaches_the_loaded_index_at_once(two):
    one, _ = two
    one.add(vectors(4))
    one.refresh()
    segment = one.store._follower.index.segments[0]
    one.delete(ids=[1])
    assert not segment.codes().any() and len(one.store._follower.index) == 3


def test_an_embedding_of_another_size_is_damage(two):
    one, other = two
    one.add(vectors(3))
    with one.store._writer.transaction() as raw:
        raw.execute("UPDATE images SET embedding = x'00' WHERE id = 2")
    with pytest.raises(UserError, match="damaged: picture 2"):
        other.search(np.ones((1, 16)))
