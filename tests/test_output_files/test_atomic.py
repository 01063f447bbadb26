"""The file is the old one or the new one."""

import os
import stat
import subprocess
import sys

import pytest

from mmreid_ext.checkpoint import atomic_open, atomic_write
from mmreid_ext.output_files.atomic import folder_lock, sweep_leftovers


def test_content_replaces_the_old_file(tmp_path):
    path = tmp_path / "a"
    atomic_write(path, b"old")
    atomic_write(path, b"new")
    assert path.read_bytes() == b"new"
    assert os.listdir(tmp_path) == ["a"]


def test_exception_leaves_the_old_file_and_no_litter(tmp_path):
    path = tmp_path / "a"
    path.write_text("old")
    with pytest.raises(RuntimeError), atomic_open(path) as file:
        file.write("half of the n")
        raise RuntimeError
    assert path.read_text() == "old"
    assert os.listdir(tmp_path) == ["a"]


def test_killed_process_leaves_the_old_file(tmp_path):
    path = tmp_path / "a"
    path.write_text("old")
    code = (
        "import os, sys; from mmreid_ext.checkpoint import atomic_open\n"
        "with atomic_open(sys.argv[1]) as f:\n"
        "    f.write('half'); f.flush(); os._exit(9)"
    )
    root = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
    done = subprocess.run(
        [sys.executable, "-c", code, str(path)], env={**os.environ, "PYTHONPATH": root}
    )
    assert done.returncode == 9
    assert path.read_text() == "old"


def test_permissions_follow_the_umask(tmp_path):
    """Others in the group must be able to read checkpoints: ``tempfile`` would forbid it."""
    reference, path = tmp_path / "plain", tmp_path / "atomic"
    reference.write_bytes(b"")
    atomic_write(path, b"")
    assert stat.S_IMODE(path.stat().st_mode) == stat.S_IMODE(reference.stat().st_mode)


def test_symbolic_link_stays_a_link(tmp_path):
    target, link = tmp_path / "target", tmp_path / "link"
    target.write_text("old")
    link.symlink_to(target)
    atomic_write(link, b"new")
    assert link.is_symlink() and target.read_text() == "new"


def test_append_mode_is_refused(tmp_path):
    with (
        pytest.raises(ValueError, match="mode must be 'w' or 'wb', not 'a'"),
        atomic_open(tmp_path / "a", "a"),
    ):
        pass


def test_leftovers_of_dead_processes_are_swept(tmp_path):
    dead = subprocess.Popen([sys.executable, "-c", ""])
    dead.wait()
    kept = [f".iter_3.pth.{os.getpid()}.tmp", f".iter_3.pth.{os.getppid()}.tmp", ".notes.tmp"]
    kept += ["iter_3.pth", f"iter_3.{dead.pid}.tmp", f".iter_3.{dead.pid}.swp"]
    gone = [f".iter_3.pth.{dead.pid}.tmp", f".last_checkpoint.{dead.pid}.tmp"]
    gone += [f".iter_9.pth.{2**70}.tmp"]
    for name in (*kept, *gone):
        (tmp_path / name).write_bytes(b"half")
    assert sorted(sweep_leftovers(tmp_path)) == sorted(gone)
    assert sorted(os.listdir(tmp_path)) == sorted(kept)
    assert sweep_leftovers(tmp_path / "missing") == []
    own = f".iter_3.pth.{os.getpid()}.tmp"  # of a process that had this number before
    assert sweep_leftovers(tmp_path, lambda name: name == "iter_4.pth", wrote_nothing=True) == []
    assert sweep_leftovers(tmp_path, lambda name: name == "iter_3.pth", wrote_nothing=True) == [own]


def test_incomplete_file_gives_its_room_back_where_it_is_still_open(tmp_path):
    with pytest.raises(RuntimeError), atomic_open(tmp_path / "a", "wb") as file:
        file.write(b"x" * 100_000)
        held = os.dup(file.fileno())  # as a process forked meanwhile holds it
        raise RuntimeError
    assert os.fstat(held).st_size == 0
    os.close(held)


@pytest.mark.skipif(os.name != "posix", reason="locks of folders are POSIX")
def test_a_folder_is_held_by_one_and_free_afterwards(tmp_path):
    folder = tmp_path / "work"
    folder.mkdir()
    with folder_lock(folder), pytest.raises(BlockingIOError), folder_lock(folder, wait=False):
        raise AssertionError("two hold it")
    with folder_lock(folder, wait=False):
        folder.rmdir()
    with pytest.raises(FileNotFoundError), folder_lock(folder):
        raise AssertionError("it is not there")
    assert list(tmp_path.iterdir()) == []
