"""What every store of a gallery does, in a file and on a server, against brute force.

The server is Milvus Lite: the same calls of pymilvus.
"""

import itertools
import threading

import numpy as np
import pytest

from mmreid_ext.deploy.gallery import Filters, Gallery, GalleryModel, RerankOptions
from mmreid_ext.errors import UserError

SIZE, COUNT = 16, 120
MODEL = GalleryModel("a" * 16, "best.pth", SIZE)
CAMERAS = ["door", 'say "hi"', "back\\slash", "it's", None]
PEOPLE = ["lea", 'x" or id > 0 or identity == "', "new\nline", "日本", "{x} %s", None]
JPEG = b"\xff\xd8\xff\xe0 small \xff\xd9"


class Place:
    """Somewhere a gallery can be opened, and opened again."""

    def __init__(self, kind, where, name):
        self.kind, self.where, self.name = kind, where, name

    def open(self, model=MODEL, read_only=False):
        if self.kind == "file":
            return Gallery(self.where / f"{self.name}.db", model, read_only=read_only)
        from mmreid_ext.deploy.gallery.milvus.opening import open_store
        from mmreid_ext.deploy.gallery.milvus.server import Address

        address = Address(self.where, self.name)
        found = Gallery.__new__(Gallery)
        found.place, found.store = str(address), open_store(address, model, read_only=read_only)
        return found


_NUMBERS = itertools.count()


@pytest.fixture
def new_place(tmp_path, request):
    """Return a function that makes places of a kind."""

    def make(kind):
        pytest.importorskip("faiss" if kind == "file" else "milvus_lite")
        where = tmp_path if kind == "file" else request.getfixturevalue("milvus_uri")
        return Place(kind, where, f"people_{next(_NUMBERS)}")

    return make


@pytest.fixture(params=["file", "milvus"])
def place(request, new_place):
    return new_place(request.param)


@pytest.fixture
def gallery(place):
    with place.open() as found:
        yield found


def vectors(count, seed=0):
    drawn = np.random.default_rng(seed).standard_normal((count, SIZE)).astype(np.float32)
    return drawn / np.linalg.norm(drawn, axis=1, keepdims=True)


def pictures(count=COUNT, seed=0):
    rng = np.random.default_rng([seed, 1])
    times = [None if rng.random() < 0.1 else float(100 * rng.integers(10)) for _ in range(count)]
    return dict(
        hashes=[b"%d/%d" % (seed, number) for number in range(count)],
        identities=[PEOPLE[number % len(PEOPLE)] for number in range(count)],
        cameras=[CAMERAS[number] for number in rng.integers(len(CAMERAS), size=count)],
        times=times,
        sources=[f"{seed}/{number}.jpg" for number in range(count)],
        thumbnails=[
            JPEG + bytes([number % 250]) if number % 3 else None for number in range(count)
        ],
    )


def fill(gallery, count=COUNT, seed=0):
    columns = pictures(count, seed)
    return columns, gallery.add(vectors(count, seed), **columns).ids


def allowed(columns, row, filters, not_camera):
    """Whether a picture passes, in words of its own."""
    camera, time = columns["cameras"][row], columns["times"][row]
    identity = columns["identities"][row]
    tests = [
        filters.cameras is None or camera in filters.cameras,
        filters.not_cameras is None or (camera is not None and camera not in filters.not_cameras),
        not_camera is None or (camera is not None and camera != not_camera),
        filters.since is None or (time is not None and time >= filters.since),
        filters.until is None or (time is not None and time < filters.until),
        filters.identities is None or identity in filters.identities,
    ]
    return all(tests)


def brute_force(columns, ids, queries, topk, filters=None, not_from=None):
    """Return (id, similarity) of the nearest, by the stored float16 values."""
    stored = vectors(len(ids)).astype(np.float16).astype(np.float64)
    lists = []
    for place, query in enumerate(queries.astype(np.float64)):
        not_camera = None if not_from is None else not_from[place]
        rows = [
            row
            for row in range(len(ids))
            if allowed(columns, row, filters or Filters(), not_camera)
        ]
        found = sorted((-float(stored[row] @ query), ids[row]) for row in rows)
        lists.append([(number, -negative) for negative, number in found[:topk]])
    return lists


def check(found, expected):
    assert [[hit.id for hit in hits] for hits in found] == [[n for n, _ in one] for one in expected]
    for hits, one in zip(found, expected, strict=True):
        np.testing.assert_allclose([h.similarity for h in hits], [s for _, s in one], atol=2e-6)
        assert [hit.score for hit in hits] == [hit.similarity for hit in hits]


QUESTIONS = [
    Filters(),
    Filters(cameras=["door"]),
    Filters(cameras=CAMERAS[1:4]),
    Filters(cameras=["none"]),
    Filters(cameras=[]),
    Filters(not_cameras=["door", "it's"]),
    Filters(not_cameras=['say "hi"', "back\\slash"]),
    Filters(since=300),
    Filters(until=300),
    Filters(since=300, until=301),
    Filters(since=200.5, until=700.25, not_cameras=["door"]),
    *(Filters(identities=[name]) for name in PEOPLE if name),
    Filters(identities=["lea", "日本"], cameras=["door"], since=100, until=900),
    Filters(identities=['lea" or "" == "', "\\", '"']),
]


@pytest.mark.parametrize("kind", ["file", "milvus"])
def test_searches_equal_brute_force(kind, new_place):
    with new_place(kind).open() as gallery:
        columns, ids = fill(gallery)
        queries = vectors(6, seed=9)
        for filters in QUESTIONS:
            found = gallery.search(queries, topk=15, filters=filters)
            check(found, brute_force(columns, ids, queries, 15, filters))
        not_from = ["door", None, "back\\slash", 'say "hi"', "it's", "nowhere"]
        for filters in (Filters(), Filters(since=300, until=800)):
            found = gallery.search(queries, 15, filters, other_cameras_than=not_from)
            check(found, brute_force(columns, ids, queries, 15, filters, not_from))
        check(gallery.search(queries, 500), brute_force(columns, ids, queries, 500))
        assert gallery.search(queries[:0]) == []


def test_hits_say_what_was_given(gallery):
    columns, ids = fill(gallery)
    by_id = dict(zip(ids, range(COUNT), strict=True))
    for hit in gallery.search(vectors(1, seed=9), topk=COUNT)[0]:
        row = by_id[hit.id]
        assert hit.identity == columns["identities"][row]
        assert hit.camera == columns["cameras"][row]
        assert hit.time == columns["times"][row]
        assert hit.source == columns["sources"][row]
        assert gallery.thumbnail(hit.id) == columns["thumbnails"][row]
        assert hit.has_thumbnail == (columns["thumbnails"][row] is not None)
    assert gallery.thumbnail(12345) is None
    assert [hit.id for hit in gallery.get([ids[3], 12345, ids[1]])] == [ids[3], ids[1]]
    stored = gallery.embeddings([ids[5], 12345, ids[0]])
    assert stored.dtype == np.float16 and not stored[1].any()
    np.testing.assert_array_equal(stored[[0, 2]], vectors(COUNT)[[5, 0]].astype(np.float16))


def test_adding_again_changes_nothing(gallery):
    columns, ids = fill(gallery)
    again = gallery.add(vectors(COUNT, seed=5), **columns)
    assert (again.added, again.known, again.ids, again.conflicts) == (0, COUNT, ids, [])
    assert gallery.info().rows == COUNT
    np.testing.assert_array_equal(
        gallery.embeddings(ids[:2]), vectors(COUNT)[:2].astype(np.float16)
    )
    twice = gallery.add(vectors(3, seed=6), hashes=[b"x", b"y", b"x"], identities=["a", None, "a"])
    assert (twice.added, twice.known) == (2, 1) and twice.ids[0] == twice.ids[2]
    other = gallery.add(vectors(2, seed=6), hashes=[b"x", b"z"], identities=["b", "b"])
    assert (other.added, other.known, other.conflicts) == (1, 1, [twice.ids[0]])
    assert gallery.get([twice.ids[0]])[0].identity == "a"


def test_what_is_known_is_found_by_its_hash(gallery):
    columns, ids = fill(gallery)
    asked = [columns["hashes"][7], b"new", columns["hashes"][2]]
    assert gallery.find(asked) == [ids[7], None, ids[2]] and gallery.find([]) == []


def test_pictures_without_anything(gallery):
    added = gallery.add(vectors(4), sources=["a", "b", "a", "a"])
    assert added.added == 4
    assert gallery.add(vectors(4), sources=["a", "b", "a", "a"]).known == 4
    info = gallery.info()
    assert (info.rows, info.identities, info.cameras, info.unnamed) == (4, 0, 0, 4)
    assert (info.first, info.last, info.thumbnails) == (None, None, 0)
    assert gallery.add(np.zeros((0, SIZE))).ids == []


def test_a_refused_call_adds_nothing(gallery):
    bad = vectors(3)
    bad[1] = np.nan
    with pytest.raises(UserError, match="row 1"):
        gallery.add(bad)
    with pytest.raises(UserError):
        gallery.add(vectors(2), identities=["a", ""])
    assert gallery.info().rows == 0


def test_deleting_leaves_nothing(gallery, place):
    columns, ids = fill(gallery)
    gallery.search(vectors(1), topk=3)
    injected = PEOPLE[1]
    expected = sum(name == injected for name in columns["identities"])
    assert gallery.delete(identity=injected) == expected
    assert gallery.delete(identity=injected) == 0
    assert gallery.delete(identity='lea" or id > 0 or identity == "') == 0
    assert injected not in gallery.people() and gallery.info().rows == COUNT - expected
    assert gallery.delete([ids[0], ids[0], 12345]) == 1
    assert gallery.delete([]) == 0
    left = {hit.id for hit in gallery.search(vectors(1), topk=COUNT)[0]}
    gone = {n for n, who in zip(ids, columns["identities"], strict=True) if who == injected}
    assert left == set(ids) - gone - {ids[0]}
    assert not gallery.embeddings([ids[0], *gone]).any() and gallery.get([ids[0], *gone]) == []
    # What was deleted can be added again.
    assert gallery.add(vectors(COUNT), **columns).added == expected + 1
    assert gallery.info().rows == COUNT


def test_names_and_counts(gallery):
    columns, ids = fill(gallery)
    for names, found in (("identities", gallery.people()), ("cameras", gallery.cameras())):
        known = [name for name in columns[names] if name is not None]
        assert found == {name: known.count(name) for name in set(known)}
        assert list(found) == sorted(found)
    info = gallery.info()
    times = [time for time in columns["times"] if time is not None]
    assert (info.rows, info.identities, info.cameras) == (COUNT, len(PEOPLE) - 1, len(CAMERAS) - 1)
    assert info.unnamed == columns["identities"].count(None)
    assert info.thumbnails == sum(one is not None for one in columns["thumbnails"])
    assert (info.first, info.last) == (min(times), max(times))
    assert info.model == MODEL and info.size == SIZE
    assert gallery.label([ids[0], ids[5], 12345], 'quo"te\\d') == 2
    assert gallery.people()['quo"te\\d'] == 2
    assert gallery.label([ids[0]], None) == 1 and gallery.people()['quo"te\\d'] == 1
    assert {hit.identity for hit in gallery.get([ids[0], ids[5]])} == {None, 'quo"te\\d'}
    assert gallery.thumbnail(ids[5]) == columns["thumbnails"][5]
    np.testing.assert_array_equal(gallery.embeddings(ids), vectors(COUNT).astype(np.float16))


def test_rows_come_in_order_of_their_ids(gallery):
    columns, ids = fill(gallery)
    parts = list(gallery.store.rows(50, thumbnails=True))
    assert max(map(len, parts)) <= 50 and sum(map(len, parts)) == COUNT
    seen = [number for part in parts for number in part.ids]
    assert seen == sorted(ids)
    by_id = dict(zip(ids, columns["hashes"], strict=True))
    assert [h for part in parts for h in part.hashes] == [by_id[number] for number in seen]
    assert all(part.embeddings.dtype == np.float16 for part in parts)
    assert {
        one for part in gallery.store.rows(50, thumbnails=False) for one in part.thumbnails
    } == {None}


def test_another_handle_sees_it_at_once_and_after_reopening(place):
    with place.open() as one, place.open(model=None) as two:
        columns, ids = fill(one)
        query = vectors(COUNT)[7:8]
        assert two.search(query, topk=1)[0][0].id == ids[7]
        assert two.delete(ids=[ids[7]]) == 1
        assert one.search(query, topk=1)[0][0].id != ids[7]
        extra = two.add(query, hashes=[b"again"]).ids[0]
        assert one.search(query, topk=1)[0][0].id == extra
    with place.open(read_only=True) as again:
        assert again.search(query, topk=1)[0][0].id == extra and again.info().rows == COUNT
        with pytest.raises(UserError):
            again.add(query)


def test_embeddings_of_another_model_are_refused(place):
    place.open().close()
    other = GalleryModel("b" * 16, "other.pth", SIZE)
    with pytest.raises(UserError, match="best.pth.*other.pth"):
        place.open(other)
    with place.open() as found, pytest.raises(UserError, match=f"{SIZE}"):
        found.add(np.ones((1, SIZE + 1)))


@pytest.mark.parametrize("kinds", [("file", "milvus"), ("milvus", "file"), ("file", "file")])
def test_everything_moves_from_one_to_the_other(kinds, new_place):
    one, two = map(new_place, kinds)
    done = []
    with one.open() as first, two.open() as second:
        columns, _ = fill(first)
        second.add(vectors(COUNT)[:5], **{name: values[:5] for name, values in columns.items()})
        moved = first.copy_to(second, batch=50, progress=done.append)
        assert (moved.added, moved.known) == (COUNT - 5, 5) and sum(done) == COUNT
        assert first.copy_to(second).added == 0
        by_hash = [
            {
                content: (
                    part.identities[n],
                    part.cameras[n],
                    part.times[n],
                    part.sources[n],
                    part.thumbnails[n],
                    part.embeddings[n].tobytes(),
                )
                for part in gallery.store.rows(50, thumbnails=True)
                for n, content in enumerate(part.hashes)
            }
            for gallery in (first, second)
        ]
        assert by_hash[0] == by_hash[1] and len(by_hash[0]) == COUNT


@pytest.mark.parametrize("kind", ["file", "milvus"])
def test_features_files_hold_everything(kind, new_place, tmp_path):
    one, two = new_place(kind), new_place(kind)
    with one.open() as first, two.open() as second:
        columns, _ = fill(first)
        assert first.export(tmp_path / "all.npz", thumbnails=True) == COUNT
        done = []
        assert second.take(tmp_path / "all.npz", progress=done.append).added == COUNT
        assert second.take(tmp_path / "all.npz").added == 0 and sum(done) == COUNT
        assert first.people() == second.people() and first.cameras() == second.cameras()
        assert first.info().thumbnails == second.info().thumbnails
        queries = vectors(3, seed=9)
        lists = [found.search(queries, 10, Filters(since=200)) for found in (first, second)]
        seen = [
            [(h.source, h.time, h.similarity) for hits in found for h in hits] for found in lists
        ]
        assert seen[0] == seen[1]


def test_re_ranking_sorts_the_candidates(gallery):
    fill(gallery)
    queries = vectors(2, seed=9)
    plain = gallery.search(queries, topk=30)
    sorted_again = gallery.search(queries, topk=5, rerank=RerankOptions(n=30, k1=5, k2=2))
    for candidates, hits in zip(plain, sorted_again, strict=True):
        similarities = {hit.id: hit.similarity for hit in candidates}
        assert len(hits) == 5 and {hit.id for hit in hits} <= similarities.keys()
        assert [hit.similarity for hit in hits] == [similarities[hit.id] for hit in hits]
        scores = [hit.score for hit in hits]
        assert scores == sorted(scores, reverse=True) and all(0 <= s <= 1 for s in scores)


def test_threads_share_a_gallery(gallery):
    errors = []

    def adding(number):
        try:
            for part in range(5):
                fill(gallery, 10, seed=100 * number + part)
        except Exception as error:  # noqa: BLE001
            errors.append(error)

    def searching():
        try:
            for _ in range(10):
                [hits] = gallery.search(vectors(1), topk=20)
                similarities = [hit.similarity for hit in hits]
                assert similarities == sorted(similarities, reverse=True)
        except Exception as error:  # noqa: BLE001
            errors.append(error)

    threads = [threading.Thread(target=adding, args=(number,), daemon=True) for number in (1, 2)]
    threads += [threading.Thread(target=searching, daemon=True)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=240)
        assert not thread.is_alive()
    assert errors == [] and gallery.info().rows == 100
