"""Processes that are killed leave no folder of temporary files."""

import os
import signal
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest
from helpers.paths import ROOT
from helpers.tools import run_python

from mmreid_ext.output_files import loading_folder
from mmreid_ext.output_files.loading_folder import sweep_loading_folders

pytestmark = pytest.mark.skipif(os.name != "posix", reason="folders are locked on POSIX")

ONE_CHILD = """
import multiprocessing, os, signal
from multiprocessing import util
from mmreid_ext.output_files.loading_folder import share_loading_folder

def be_killed():
    util.get_temp_dir()  # as a loader's process does when it hands over its first picture
    os.kill(os.getpid(), signal.SIGKILL)

SHARE
child = multiprocessing.get_context("fork").Process(target=be_killed)
child.start(); child.join(30)
assert child.exitcode == -signal.SIGKILL
"""
HOLDS = """
import sys
from mmreid_ext.output_files.loading_folder import share_loading_folder
share_loading_folder(); share_loading_folder()
print("made", flush=True)
sys.stdin.read()
"""


BINDS = """
import sys
from multiprocessing import connection, util
from mmreid_ext.output_files.loading_folder import share_loading_folder
share_loading_folder()
connection.Listener().close()
print(util.get_temp_dir())
"""


@pytest.fixture
def short_path():
    with tempfile.TemporaryDirectory(dir="/tmp") as folder:
        yield Path(folder)


def test_a_long_name_of_the_folder_leaves_room_for_sockets(tmp_path):
    long_path = tmp_path / ("x" * 80)
    long_path.mkdir()
    result = run_python(BINDS, env=dict(TMPDIR=str(long_path)), timeout=60)
    assert result.returncode == 0, result.stderr
    assert result.stdout.startswith("/tmp/mmreid_loading_")
    assert list(long_path.iterdir()) == []


@pytest.mark.parametrize("shares", [True, False])
def test_a_killed_process_leaves_nothing(short_path, shares):
    code = ONE_CHILD.replace("SHARE", "share_loading_folder()" if shares else "")
    result = run_python(code, env=dict(TMPDIR=str(short_path)), timeout=60)
    assert result.returncode == 0, result.stderr
    assert len(list(short_path.iterdir())) == (0 if shares else 1)  # what Python does by itself


def test_what_a_killed_parent_left_goes_at_the_next_start(short_path):
    env = dict(os.environ, PYTHONPATH=str(ROOT), TMPDIR=str(short_path))
    with subprocess.Popen(
        [sys.executable, "-c", HOLDS],
        env=env,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as parent:
        try:
            assert parent.stdout.readline() == "made\n"
            (folder,) = short_path.iterdir()
            assert sweep_loading_folders(short_path) == [] and folder.is_dir()  # it is in use
        finally:
            parent.send_signal(signal.SIGKILL)
            parent.wait(30)
    assert folder.is_dir()
    (short_path / "somebody's").mkdir()
    assert sweep_loading_folders(short_path) == [folder.name]
    assert [path.name for path in short_path.iterdir()] == ["somebody's"]


def test_links_and_folders_of_others_stay(short_path, monkeypatch):
    (short_path / "target").mkdir()
    (short_path / "mmreid_loading_link").symlink_to(short_path / "target")
    (short_path / "mmreid_loading_other").mkdir()
    owner = os.getuid()
    monkeypatch.setattr(loading_folder.os, "getuid", lambda: owner + 1)
    assert sweep_loading_folders(short_path) == []
    monkeypatch.undo()
    assert sweep_loading_folders(short_path) == ["mmreid_loading_other"]
    assert (short_path / "target").is_dir()
