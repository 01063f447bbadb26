"""Files that are no gallery, of a later format, damaged, locked or full: one sentence each."""

import os
import shutil
import sqlite3
import stat
import subprocess
import sys

import pytest
from helpers.galleries import MODEL, vectors

from mmreid_ext.deploy.gallery import Gallery
from mmreid_ext.deploy.gallery.local import database
from mmreid_ext.errors import UserError


def made(path, rows=500):
    with Gallery(path, MODEL) as gallery:
        gallery.add(vectors(rows))
    return path


def test_no_database(tmp_path):
    path = tmp_path / "notes.db"
    path.write_text("These are notes, and they are long enough to be no database." * 20)
    with pytest.raises(UserError, match=r"notes\.db: it is not a gallery"):
        Gallery(path, MODEL)
    assert path.read_text().startswith("These are notes")


def test_a_database_of_another_program(tmp_path):
    path = tmp_path / "other.db"
    with sqlite3.connect(path) as raw:
        raw.execute("CREATE TABLE t (x)")
    with pytest.raises(UserError, match="another program"):
        Gallery(path, MODEL)


def test_a_later_format(tmp_path):
    path = made(tmp_path / "a.db", 3)
    with sqlite3.connect(path) as raw:
        raw.execute("PRAGMA user_version=2")
    with pytest.raises(UserError, match="format 2, this version of mmreid_ext reads up to 1"):
        Gallery(path, MODEL)


def test_an_empty_file_becomes_a_gallery(tmp_path):
    path = tmp_path / "a.db"
    path.touch()
    with pytest.raises(UserError, match="empty, and no model"):
        Gallery(path)
    assert Gallery(path, MODEL).info().rows == 0


def test_a_folder_and_a_missing_folder(tmp_path):
    with pytest.raises(UserError, match="is a folder"):
        Gallery(tmp_path)
    with pytest.raises(UserError, match="can't be made"):
        Gallery(tmp_path / "none" / "a.db", MODEL)


def test_a_truncated_file(tmp_path):
    path = made(tmp_path / "a.db")
    os.truncate(path, os.path.getsize(path) // 2 // 8192 * 8192)
    with (
        pytest.raises(UserError, match=r"a\.db: it is damaged.*malformed"),
        Gallery(path) as gallery,
    ):
        gallery.search(vectors(1))


def test_a_full_disk_leaves_nothing_half(tmp_path):
    with Gallery(tmp_path / "a.db", MODEL) as gallery:
        first = gallery.add(vectors(100)).added
        raw = gallery.store._writer.raw
        pages = raw.execute("PRAGMA page_count").fetchone()[0]
        raw.execute(f"PRAGMA max_page_count={pages + 3}")
        with pytest.raises(UserError, match=r"a\.db: the disk is full"):
            gallery.add(vectors(2000, seed=1))
        assert gallery.info().rows == first and len(gallery.search(vectors(1), 999)[0]) == first
        raw.execute("PRAGMA max_page_count=100000")
        assert gallery.add(vectors(2000, seed=1)).added == 2000


def test_a_lock_that_stays(tmp_path, monkeypatch):
    monkeypatch.setattr(database, "WAIT", 0.1)
    with Gallery(tmp_path / "a.db", MODEL) as one, Gallery(tmp_path / "a.db") as other:
        with one.store._writer.transaction():
            with pytest.raises(UserError, match="another process has been writing"):
                other.add(vectors(1))
            assert other.search(vectors(1)) == [[]]  # reading waits for nobody
        assert other.add(vectors(1)).added == 1


def test_only_its_owner_reads_it(tmp_path):
    path = made(tmp_path / "a.db", 1)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    with Gallery(path) as gallery:
        gallery.add(vectors(1, seed=3))
        log = path.with_name("a.db-wal")
        assert stat.S_IMODE(log.stat().st_mode) == 0o600


def test_a_name_with_odd_characters(tmp_path):
    path = made(tmp_path / "a b?c#d%20ü.db", 4)
    assert path.is_file() and Gallery(path).info().rows == 4


READ = """
import sys
from helpers.galleries import MODEL, vectors
from mmreid_ext.deploy.gallery import Gallery
with Gallery(sys.argv[1], MODEL, read_only=True) as gallery:
    print(gallery.info().rows, len(gallery.search(vectors(1))[0]))
"""


def can_mount():
    """Whether this user may mount in a name space of its own."""
    command = ["unshare", "--mount", "mount", "--bind", "/tmp", "/tmp"]
    return shutil.which("unshare") and not subprocess.run(command, capture_output=True).returncode


@pytest.mark.skipif(not can_mount(), reason="needs the right to mount")
def test_a_medium_that_can_not_be_written(tmp_path):
    made(tmp_path / "a.db", 7)
    script = (
        'mount --bind "$1" "$1" && mount -o remount,ro,bind "$1" && exec "$2" -c "$3" "$1/a.db"'
    )
    done = subprocess.run(
        ["unshare", "--mount", "sh", "-c", script, "sh", tmp_path, sys.executable, READ],
        capture_output=True,
        text=True,
        env=os.environ | {"PYTHONPATH": os.pathsep.join(p for p in sys.path if p)},
    )
    assert done.stdout.strip() == "7 7", done.stderr


def test_other_reasons_not_to_open_stay_errors(tmp_path):
    path = tmp_path / "a.db"
    path.write_bytes(b"")
    with pytest.raises(UserError, match="empty"):
        Gallery(path, MODEL, read_only=True)
