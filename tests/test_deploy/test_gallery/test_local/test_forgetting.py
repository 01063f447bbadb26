"""What is deleted is nowhere: not in the file, its log, its free pages, nor in the index."""

import random
import sqlite3
import sys

import numpy as np
import pytest
from helpers.galleries import MODEL, jpeg, vectors

from mmreid_ext.deploy.gallery import Gallery
from mmreid_ext.deploy.gallery.local import database, forgetting, writing


def content(path):
    """All bytes of the file and of its log."""
    files = [path, path.with_name(f"{path.name}-wal")]
    return b"".join(file.read_bytes() for file in files if file.exists())


def pieces(gallery, ids, names):
    """What must not be found: parts of the hash, the embedding, the thumbnail; the name."""
    found = []
    for id, name in zip(ids, names, strict=True):
        stored = gallery.embeddings([id])[0].tobytes()
        found += [stored[:12], stored[-12:], gallery.thumbnail(id)[150:170], name.encode()]
    return found


def churn(path, seed=0, rounds=10):
    """Add and delete at random; return what is found of deleted pictures."""
    rng, there, left = random.Random(seed), {}, []
    with Gallery(path, MODEL) as gallery:
        for turn in range(rounds):
            count = rng.randrange(20, 150)
            names = [rng.randbytes(rng.randrange(8, 40)).hex() for _ in range(count)]
            added = gallery.add(
                np.random.default_rng(1000 * seed + turn).standard_normal((count, 16)),
                identities=names,
                sources=[f"{name}/a.jpg" for name in names],
                cameras=[f"camera {n % 3}" for n in range(count)],
                thumbnails=[jpeg(rng.getrandbits(32)) for _ in names],
            )
            there |= dict(zip(added.ids, names, strict=True))
            gallery.refresh()
            gone = rng.sample(sorted(there), len(there) // 3)
            secrets = pieces(gallery, gone, [there[id] for id in gone])
            before = content(path)
            assert all(secret in before for secret in secrets)
            assert gallery.delete(identity=there[gone[0]]) == 1
            assert gallery.delete(ids=gone) == len(gone) - 1
            for id in gone:
                del there[id]
            now = content(path)
            left += [secret for secret in secrets if secret in now]
    return left


def test_nothing_is_left(tmp_path, monkeypatch):
    """SQLite itself leaves something now and then; with our search for it nothing stays."""
    monkeypatch.setattr(database, "PAGE", 1024)  # rows move more often
    for seed in range(40):
        with monkeypatch.context() as patch:
            patch.setattr(forgetting, "_remain", lambda place, traces: False)
            if churn(tmp_path / f"without {seed}.db", seed):
                break
    else:
        pytest.fail("this SQLite leaves nothing behind: the test shows nothing")
    assert churn(tmp_path / "with.db", seed) == []


def test_nothing_is_left_in_pages_of_our_size(tmp_path):
    assert churn(tmp_path / "a.db") == []


def counted(monkeypatch):
    """Count how often files are written anew."""
    calls = []
    real = database.Connection.all

    def all(self, statement, values=()):
        calls.extend([1] * (statement == "VACUUM"))
        return real(self, statement, values)

    monkeypatch.setattr(database.Connection, "all", all)
    return calls


def test_written_anew_only_where_needed(tmp_path, monkeypatch):
    anew = counted(monkeypatch)
    with Gallery(tmp_path / "a.db", MODEL) as gallery:
        gallery.add(vectors(20))
        gallery.delete(ids=[3])
        assert anew == []
        monkeypatch.setattr(sys, "executable", str(tmp_path / "none"))  # it can't be looked for
        gallery.delete(ids=[4])
        assert anew == [1]
        monkeypatch.setattr(forgetting, "MOST", 5)
        gallery.delete(ids=range(5, 13))
        assert anew == [1, 1] and gallery.info().rows == 10
        assert sorted(hit.id for hit in gallery.search(vectors(1), 99)[0]) == [1, 2, *range(13, 21)]
        assert gallery.add(vectors(1, seed=7)).ids == [21]


def test_a_name_that_others_have_is_not_looked_for(tmp_path, monkeypatch):
    asked = []
    monkeypatch.setattr(forgetting, "_remain", lambda place, traces: asked.append(traces.texts))
    with Gallery(tmp_path / "a.db", MODEL) as gallery:
        gallery.add(vectors(3), identities=["annabelle", "annabelle", "bartholomew"])
        gallery.delete(ids=[1, 3])
        gallery.delete(ids=[2])
    assert asked == [{b"bartholomew"}, {b"annabelle"}]


def test_a_reader_that_stays_is_told(tmp_path, monkeypatch):
    monkeypatch.setattr(database, "WAIT", 0.1)
    path = tmp_path / "a.db"
    with Gallery(path, MODEL) as gallery:
        gallery.add(vectors(9))
        secret = gallery.embeddings([4]).tobytes()
        other = sqlite3.connect(path, isolation_level=None)
        other.execute("BEGIN")
        other.execute("SELECT count(*) FROM images").fetchone()
        with pytest.warns(UserWarning, match="may still be in the file or its log"):
            assert gallery.delete(ids=[4]) == 1
        assert secret in content(path)
        other.execute("COMMIT")
        other.close()
        gallery.delete(ids=[5])
        assert secret not in content(path)


def test_deleting_nothing_looks_for_nothing(tmp_path, monkeypatch):
    monkeypatch.setattr(writing, "forget", None)
    with Gallery(tmp_path / "a.db", MODEL) as gallery:
        gallery.add(vectors(2))
        assert gallery.delete(ids=[77]) == 0 and gallery.delete(identity="nobody") == 0


def renamed(path, seed):
    """Name pictures anew at random; return which of the old names are still there."""
    rng, left, there = random.Random(seed), [], {}
    with Gallery(path, MODEL) as gallery:
        for turn in range(8):
            names = [rng.randbytes(rng.randrange(8, 40)).hex() for _ in range(60)]
            added = gallery.add(vectors(60, seed=1000 * seed + turn), identities=names)
            there |= dict(zip(added.ids, names, strict=True))
            some = rng.sample(sorted(there), 40)
            assert gallery.label(some, f"person {turn}") == 40
            now = content(path)
            left += [name for name in map(there.pop, some) if name.encode() in now]
    return left


def test_no_earlier_name_is_left(tmp_path, monkeypatch):
    monkeypatch.setattr(database, "PAGE", 1024)
    for seed in range(20):
        with monkeypatch.context() as patch:
            patch.setattr(forgetting, "_remain", lambda place, traces: False)
            if renamed(tmp_path / f"without {seed}.db", seed):
                break
    else:
        pytest.fail("this SQLite leaves nothing behind: the test shows nothing")
    assert renamed(tmp_path / "with.db", seed) == []


def test_one_label_that_changes_nothing_looks_for_nothing(tmp_path, monkeypatch):
    monkeypatch.setattr(writing, "forget", None)
    with Gallery(tmp_path / "a.db", MODEL) as gallery:
        gallery.add(vectors(3), identities=["annabelle", "annabelle", None])
        assert gallery.label([3, 77], None) == 1  # it had no name
        assert gallery.label([2, 3], "annabelle") == 2
        assert gallery.label([2], "bartholomew") == 1  # there is another Annabelle


def test_what_a_killed_process_leaves_is_done_by_the_next(tmp_path, monkeypatch):
    path = tmp_path / "a.db"
    with Gallery(path, MODEL) as gallery:
        gallery.add(vectors(9), identities=["annabelle"] * 9)
        secrets = [gallery.embeddings([4]).tobytes(), b"annabelle"]
        with monkeypatch.context() as patch:  # killed behind the end of the transaction
            patch.setattr(writing, "forget", lambda *args: None)
            gallery.delete(ids=[4])
            gallery.label([1, 2, 3, 5, 6, 7, 8, 9], "bartholomew")
        assert all(secret in content(path) for secret in secrets)
        with Gallery(path, MODEL):
            assert not any(secret in content(path) for secret in secrets)
    with sqlite3.connect(path) as raw:
        assert raw.execute("SELECT key FROM meta").fetchall() == [("model",)]
    raw.close()


def test_what_a_reader_kept_is_done_by_the_next_change(tmp_path, monkeypatch):
    monkeypatch.setattr(database, "WAIT", 0.1)
    path = tmp_path / "a.db"
    with Gallery(path, MODEL) as gallery:
        gallery.add(vectors(9), identities=["annabelle"] + ["bartholomew"] * 8)
        other = sqlite3.connect(path, isolation_level=None)
        other.execute("BEGIN")
        other.execute("SELECT count(*) FROM images").fetchone()
        with pytest.warns(UserWarning, match="renamed may still be in the file"):
            gallery.label([1], "christopher")
        other.execute("COMMIT")
        other.close()
        anew = counted(monkeypatch)
        gallery.delete(ids=[5])
        assert anew == [1] and b"annabelle" not in content(path)
        gallery.delete(ids=[6])
        assert anew == [1]


def test_a_file_that_can_not_be_cleaned_is_told(tmp_path, monkeypatch):
    """The deletion is done, so it is no error; the next one who opens the file cleans it."""
    path = tmp_path / "a.db"
    real = database.Connection.all

    def all(self, statement, values=()):
        if statement.startswith(("PRAGMA wal_checkpoint", "VACUUM")):
            raise sqlite3.OperationalError("database or disk is full")
        return real(self, statement, values)

    with Gallery(path, MODEL) as gallery:
        gallery.add(vectors(9))
        secret = gallery.embeddings([4]).tobytes()
        with monkeypatch.context() as patch:
            patch.setattr(database.Connection, "all", all)
            with pytest.warns(UserWarning, match="can't be cleaned .*disk is full"):
                assert gallery.delete(ids=[4]) == 1
            with pytest.warns(UserWarning, match="can't be cleaned"):
                Gallery(path, MODEL).close()
        assert gallery.info().rows == 8 and secret in content(path)
    Gallery(path, MODEL).close()
    assert secret not in content(path)
