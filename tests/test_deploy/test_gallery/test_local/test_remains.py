"""What SQLite leaves behind is found, and nothing else is taken for it."""

import json
import random
import sqlite3
import subprocess
import sys

import pytest

from mmreid_ext.deploy.gallery.local import remains


def churned(path, seed):
    """Rows come and go; return the names and data of those that are gone."""
    raw = sqlite3.connect(path, isolation_level=None)
    raw.execute("PRAGMA page_size=1024")
    raw.execute("PRAGMA secure_delete=ON")
    raw.execute("CREATE TABLE t (id INTEGER PRIMARY KEY, name TEXT UNIQUE, data BLOB)")
    rng, there, gone = random.Random(seed), {}, {}
    for _ in range(12):
        raw.execute("BEGIN")
        for _ in range(rng.randrange(1, 120)):
            row = rng.randbytes(rng.randrange(8, 30)).hex(), rng.randbytes(rng.randrange(8, 30))
            there[raw.execute("INSERT INTO t (name, data) VALUES (?, ?)", row).lastrowid] = row
        for id in rng.sample(sorted(there), len(there) // 3):
            raw.execute("DELETE FROM t WHERE id = ?", (id,))
            gone[id] = there.pop(id)
        raw.execute("COMMIT")
    raw.close()
    return list(gone.values())


def test_finds_what_a_search_of_the_whole_file_finds(tmp_path):
    left = 0
    for seed in range(4):
        path = tmp_path / f"{seed}.db"
        gone = churned(path, seed)
        content = path.read_bytes()
        for name, data in gone:
            text, piece = name.encode(), data[:8]
            left += text in content
            assert remains.holds_remains(path, set(), {text}) == (text in content)
            found = remains.holds_remains(path, remains.windows_of(piece), set())
            assert found == (piece in content)
    assert left, "SQLite left nothing behind: the test shows nothing"


def test_live_rows_are_no_remains(tmp_path):
    raw = sqlite3.connect(tmp_path / "a.db")
    raw.execute("CREATE TABLE t (data BLOB)")
    blobs = [random.Random(n).randbytes(9000 if n % 9 == 0 else 300) for n in range(200)]
    raw.executemany("INSERT INTO t VALUES (?)", ((blob,) for blob in blobs))
    raw.commit()
    raw.close()
    windows = set().union(*map(remains.windows_of, blobs))
    assert not remains.holds_remains(tmp_path / "a.db", windows, set())


def test_windows():
    assert remains.windows_of(b"1234567") == set()
    assert remains.windows_of(b"12345678") == {int.from_bytes(b"12345678", "little")}
    content = bytes(range(200))
    pieces = {number.to_bytes(8, "little") for number in remains.windows_of(content)}
    assert all(any(p in content[at : at + 24] for p in pieces) for at in range(176))


@pytest.mark.parametrize("page_size", [512, 65536])
def test_pages_of_any_size_and_as_a_script(tmp_path, page_size):
    path = tmp_path / "a.db"
    raw = sqlite3.connect(path, isolation_level=None)
    raw.execute(f"PRAGMA page_size={page_size}")
    raw.execute("CREATE TABLE t (data BLOB)")
    raw.execute("INSERT INTO t VALUES (randomblob(90))")
    raw.close()
    content = bytearray(path.read_bytes())
    content[page_size + 30 : page_size + 38] = b"leftover"  # behind the list of page 2's one row
    path.write_bytes(content)
    asked = dict(windows=sorted(remains.windows_of(b"leftover")), texts=[b"nobody".hex()])
    done = subprocess.run(
        [sys.executable, remains.__file__, path],
        input=json.dumps(asked),
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout == "1"
    for text, there in ((b"leftover", True), (b"left", True), (b"lefty", False), (b"over", True)):
        assert remains.holds_remains(path, set(), {text, b"nobody"}) == there


def test_a_short_name_is_known_by_what_precedes_it(tmp_path):
    raw = sqlite3.connect(tmp_path / "a.db", isolation_level=None)
    raw.execute("CREATE TABLE t (id INTEGER PRIMARY KEY, hash BLOB, name TEXT)")
    raw.execute("CREATE INDEX by_name ON t (name)")
    for name in ("B", "Al", "Bob"):
        for id in (0, 1, 100, 30_000, 8_000_000, 2**31 - 1, 2**40, 2**60):
            raw.execute("DELETE FROM t")
            raw.execute("INSERT INTO t VALUES (?, ?, ?)", (id, bytes(range(32)), name))
            raw.execute("VACUUM")
            content = (tmp_path / "a.db").read_bytes()
            table, index = content[4096:8192], content[8192:]
            forms = remains.forms_of(name, bytes(range(32)))
            assert any(form in table for form in forms) and any(form in index for form in forms)
    raw.close()
    assert remains.forms_of("Anna", b"x" * 32) == {b"Anna"}
