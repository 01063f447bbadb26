"""The file behind a gallery: read-only, closed, used from many threads."""

import sqlite3
import threading

import numpy as np
import pytest
from helpers.galleries import MODEL, columns, vectors

from mmreid_ext.deploy.gallery import Filters, Gallery
from mmreid_ext.errors import UserError


def test_reading_only(tmp_path):
    path = tmp_path / "a.db"
    with Gallery(path, MODEL) as gallery:
        gallery.add(vectors(5), **columns(5))
        with Gallery(path, MODEL, read_only=True) as reader:
            assert len(reader.search(vectors(1))[0]) == 5 and reader.info().rows == 5
            for change in (
                lambda: reader.add(vectors(1)),
                lambda: reader.delete(ids=[1]),
                lambda: reader.label([1], "zoe"),
            ):
                with pytest.raises(UserError, match="for reading only"):
                    change()
            gallery.add(vectors(1, seed=2))
            assert len(reader.search(vectors(1))[0]) == 6


def test_closed(tmp_path):
    gallery = Gallery(tmp_path / "a.db", MODEL)
    gallery.add(vectors(2))
    gallery.search(vectors(1))
    gallery.close()
    gallery.close()
    for use in (gallery.info, lambda: gallery.search(vectors(1)), lambda: gallery.add(vectors(1))):
        with pytest.raises(UserError, match=r"a\.db was closed"):
            use()


def test_many_threads(tmp_path):
    """Half of them add and delete, half search: nothing is lost, nothing deleted is found."""
    with Gallery(tmp_path / "a.db", MODEL, threads=2) as gallery:
        gallery.add(vectors(200), **columns(200))
        errors, added = [], []

        def write(number):
            for turn in range(8):
                ids = gallery.add(vectors(20, seed=1000 * number + turn + 1)).ids
                gallery.delete(ids=ids[:5])
                added.extend(ids[5:])

        def read(number):
            for _ in range(25):
                hits = gallery.search(vectors(2, seed=number), 500, Filters(since=0))
                assert all(hit.time is not None for one in hits for hit in one)
                assert len({hit.id for hit in hits[0]}) == len(hits[0])

        def run(work, number):
            try:
                work(number)
            except Exception as error:  # noqa: BLE001, whatever it is, the test fails by it
                errors.append(error)

        threads = [
            threading.Thread(target=run, args=(work, number))
            for number in range(3)
            for work in (write, read)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(60)
        assert errors == [] and not any(thread.is_alive() for thread in threads)
        found = [hit.id for hit in gallery.search(vectors(1), 9999)[0]]
        assert set(found) == {*range(1, 201), *added} and len(found) == len(set(found))
        assert gallery.info().rows == 200 + 3 * 8 * 15


def test_a_picture_deleted_between_search_and_reading(tmp_path, monkeypatch):
    with Gallery(tmp_path / "a.db", MODEL) as gallery, Gallery(tmp_path / "a.db") as other:
        gallery.add(vectors(5))
        gallery.refresh()
        index = gallery.store._follower.index
        real = index.search

        def late(*arguments):
            found = real(*arguments)
            other.delete(ids=[found[0][0][0]])
            return found

        monkeypatch.setattr(index, "search", late)
        assert gallery.search(vectors(1), 2)[0] == []  # one goes in each of five tries
        monkeypatch.setattr(index, "search", real)
        other.add(vectors(5, seed=1))
        assert len(gallery.search(vectors(1), 9)[0]) == 5


def test_summary(tmp_path):
    path = tmp_path / "a.db"
    table = columns(30)
    with Gallery(path, MODEL) as gallery:
        gallery.add(vectors(30), **table)
        info = gallery.info()
        times = [time for time in table["times"] if time is not None]
        assert (info.rows, info.size, info.version, info.model) == (30, 16, 1, MODEL)
        assert info.unnamed == table["identities"].count(None)
        assert info.identities == len({*table["identities"]} - {None}) == len(gallery.people())
        assert info.cameras == 4 and sum(gallery.cameras().values()) == 30 - table["cameras"].count(
            None
        )
        assert (info.first, info.last) == (min(times), max(times)) and info.bytes > 8192
        assert np.array_equal(gallery.embeddings([99, 1])[0], np.zeros(16))


def test_closed_while_others_search(tmp_path):
    gallery, told = Gallery(tmp_path / "a.db", MODEL), []
    gallery.add(vectors(500))
    begun = threading.Event()

    def search():
        try:
            while True:
                gallery.search(vectors(2))
                begun.set()
        except UserError as error:
            told.append(str(error))

    threads = [threading.Thread(target=search) for _ in range(4)]
    for thread in threads:
        thread.start()
    begun.wait(20)
    gallery.close()
    for thread in threads:
        thread.join(20)
    assert len(told) == 4 and all("closed" in text for text in told)


def test_counting_reads_no_pictures(tmp_path):
    with Gallery(tmp_path / "a.db", MODEL) as gallery:
        plan = gallery.store._read("EXPLAIN QUERY PLAN SELECT count(*) FROM thumbnails")
        assert "by_thumbnail" in str(plan)


@pytest.mark.parametrize("replaced", [False, True])
def test_a_file_that_was_moved_away_takes_nothing_more(tmp_path, replaced):
    """What is written into a file without a name is lost; a log beside another file damages it."""
    path = tmp_path / "a.db"
    with Gallery(path, MODEL) as gallery:
        gallery.add(vectors(5))
        path.rename(tmp_path / "old.db")
        if replaced:
            Gallery(path, MODEL).close()
        for call in (
            lambda: gallery.add(vectors(2, seed=1)),
            lambda: gallery.delete(ids=[1]),
            lambda: gallery.label([1], "lea"),
            lambda: gallery.search(vectors(1)),
            gallery.info,
        ):
            with pytest.raises(UserError, match="a.db was deleted, moved or replaced; open it"):
                call()


def test_text_that_is_none_is_damage(tmp_path):
    path = tmp_path / "a.db"
    with Gallery(path, MODEL) as gallery:
        gallery.add(vectors(3), identities=["lea"] * 3)
    with sqlite3.connect(path) as raw:
        raw.execute("UPDATE images SET identity = CAST(x'ff86' AS TEXT)")
    raw.close()
    with Gallery(path) as gallery, pytest.raises(UserError, match="is damaged; restore a copy"):
        gallery.people()
