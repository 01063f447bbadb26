"""Folders of launchers that were killed go at the next start; those of living ones stay."""

import os
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest
from helpers.paths import ROOT

from mmreid_ext.cli.restarts import reports_folder as module
from mmreid_ext.cli.restarts.reports_folder import reports_folder, sweep_reports_folders

pytestmark = pytest.mark.skipif(os.name != "posix", reason="folders can't be locked")

LAUNCHER = """
import sys
from mmreid_ext.cli.restarts.reports_folder import reports_folder
with reports_folder() as folder:
    print(folder, flush=True)
    sys.stdin.read()
"""


@pytest.fixture
def temporary(tmp_path, monkeypatch):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    return tmp_path


def start_launcher(temporary):
    pipes = dict(stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    env = dict(os.environ, TMPDIR=str(temporary), PYTHONPATH=str(ROOT))
    launcher = subprocess.Popen([sys.executable, "-c", LAUNCHER], env=env, **pipes)
    return launcher, Path(launcher.stdout.readline().strip())


def test_the_folder_of_a_killed_launcher_goes_at_the_next_start(temporary):
    launcher, folder = start_launcher(temporary)
    try:
        (folder / "error.json").write_text("{}")
        with reports_folder() as own:
            assert folder.is_dir() and Path(own).is_dir() and Path(own).parent == temporary
    finally:
        launcher.kill()
        launcher.communicate()
    assert folder.is_dir()
    with reports_folder() as own:
        assert os.listdir(temporary) == [Path(own).name]
    assert not os.listdir(temporary)


def test_a_lock_shows_a_launcher_whose_number_nobody_here_has(temporary, monkeypatch):
    """As in another container with the same temporary files."""
    launcher, folder = start_launcher(temporary)
    try:
        monkeypatch.setattr(module, "process_lives", lambda process: False)
        assert sweep_reports_folders() == [] and folder.is_dir()
    finally:
        launcher.communicate("")
    assert launcher.returncode == 0 and not folder.exists()


def test_only_own_folders_of_this_name_go(temporary, monkeypatch):
    dead = f"mmreid_ext_ranks_{2**22 + 1}_abc"
    own = f"mmreid_ext_ranks_{os.getpid()}_abc"  # of an earlier process with this number
    others = ["mmreid_ext_ranks_abc", "mmreid_ext_ranks_1x_abc", "mmreid_ext_ranks_1_abc"]
    for name in (dead, own, *others):
        (temporary / name).mkdir()
    (temporary / "elsewhere").mkdir()
    (temporary / f"{dead}_link").symlink_to(temporary / "elsewhere")
    with monkeypatch.context() as patch:
        patch.setattr(os, "getuid", lambda: 2**20)
        assert sweep_reports_folders() == []
    assert sweep_reports_folders() == sorted([dead, own])
    left = sorted(path.name for path in temporary.iterdir())
    assert left == sorted([*others, "elsewhere", f"{dead}_link"])


def test_a_folder_that_somebody_removes_at_once_is_made_again(temporary, monkeypatch):
    make, made = tempfile.mkdtemp, []

    def taken(**options):
        made.append(make(**options))
        if len(made) == 1:
            os.rmdir(made[0])
        return made[-1]

    monkeypatch.setattr(tempfile, "mkdtemp", taken)
    with reports_folder() as folder:
        assert [folder] == made[1:] and os.path.isdir(folder)
