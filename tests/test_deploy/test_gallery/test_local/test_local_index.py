"""The index in memory equals brute force under all filters, while rows come and go."""

import numpy as np
import pytest
from helpers.galleries import columns, expected, same_lists, vectors

from mmreid_ext.deploy.gallery.local import local_index
from mmreid_ext.deploy.gallery.local.local_index import LocalIndex
from mmreid_ext.deploy.gallery.records import Filters


@pytest.fixture(params=[7, 64, 10_000])
def index(request, monkeypatch):
    monkeypatch.setattr(local_index, "ROWS", request.param)
    made = LocalIndex(16, 2)
    yield made
    made.close()


def passes(table, rows, filters, not_from):
    """Whether each row passes, in plain words."""
    found = []
    for row in rows:
        person, camera, time = (table[n][row] for n in ("identities", "cameras", "times"))
        good = filters.cameras is None or camera in filters.cameras
        if filters.not_cameras is not None:
            good &= camera is not None and camera not in filters.not_cameras
        if not_from is not None:
            good &= camera is not None and camera != not_from
        if filters.identities is not None:
            good &= person in filters.identities
        if filters.since is not None:
            good &= time is not None and time >= filters.since
        if filters.until is not None:
            good &= time is not None and time < filters.until
        found.append(bool(good))
    return found


CASES = [
    (Filters(), None),
    (Filters(cameras=["camera 1", "camera 3", "nowhere"]), None),
    (Filters(cameras=[]), None),
    (Filters(not_cameras=["camera 0"]), None),
    (Filters(not_cameras=[]), None),
    (Filters(since=3e5), None),
    (Filters(until=3e5), None),
    (Filters(since=3e5, until=7e5, cameras=["camera 2"]), None),
    (Filters(identities=["person 3", "person 8"]), None),
    (Filters(identities=["nobody"]), None),
    (Filters(), ["camera 0", "camera 1", None, "nowhere", "camera 0"]),
    (Filters(not_cameras=["camera 2"], since=1e5), ["camera 0", None, "camera 3", None, None]),
]


@pytest.mark.parametrize(("filters", "not_from"), CASES)
def test_equals_brute_force(index, filters, not_from):
    table, codes = columns(200), vectors(200).astype(np.float16)
    codes[100:120] = codes[50]  # ties
    ids, rng = np.arange(200) + 5, np.random.default_rng(1)
    for start, stop in ((0, 90), (90, 91), (91, 200)):
        part = slice(start, stop)
        columns_of = (table[n][part] for n in ("cameras", "identities", "times"))
        index.add(codes[part], ids[part].tolist(), *columns_of)
    gone = rng.choice(ids, 40, replace=False)
    index.remove([*gone.tolist(), 9999])
    renamed = rng.choice(200, 20, replace=False)
    for row in renamed:
        table["identities"][row] = "person 3"
    index.label([*ids[renamed].tolist(), 1, 9999], ["person 3"] * 20 + [None, None])
    rows = [row for row in range(200) if ids[row] not in gone]
    queries = vectors(5, seed=8)
    marks = np.array(
        [passes(table, rows, filters, None if not_from is None else not_from[q]) for q in range(5)]
    )
    for topk in (1, 10, 250):
        found = index.search(queries, topk, filters, not_from)
        assert same_lists(found, expected(queries, codes[rows], ids[rows], marks, topk))
    assert len(index) == 160


def test_unknown_is_no_name(index):
    index.add(vectors(3).astype(np.float16), [1, 2, 3], ["a", None, "b"], [None] * 3, [None] * 3)
    found = index.search(vectors(1), 5, Filters(not_cameras=["a"]), None)
    assert [id for id, _ in found[0]] == [3]


def test_more_queries_than_at_a_time(index, monkeypatch):
    monkeypatch.setattr(local_index, "_QUERIES", 3)
    codes = vectors(30).astype(np.float16)
    index.add(codes, list(range(30)), [None] * 30, [None] * 30, [None] * 30)
    found = index.search(codes.astype(np.float32), 1, Filters(), None)
    assert [one[0][0] for one in found] == list(range(30))


def test_everything_removed(index):
    index.add(vectors(3).astype(np.float16), [1, 2, 3], [None] * 3, [None] * 3, [None] * 3)
    index.remove([1, 2, 3])
    assert len(index) == 0 and index.search(vectors(1), 5, Filters(), None) == [[]]
