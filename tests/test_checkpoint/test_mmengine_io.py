"""Somebody else may remove, or forbid to remove, what a run has written."""

import os
import subprocess
import sys

import pytest
from helpers.tiny_loops import ITERS, make_runner
from mmengine.fileio import LocalBackend

KEEP_ONE = dict(type="CheckpointHook", by_epoch=False, interval=1, max_keep_ckpts=1)


@pytest.mark.parametrize("error", [FileNotFoundError, PermissionError])
def test_run_goes_on_if_a_superfluous_checkpoint_can_not_be_removed(tmp_path, monkeypatch, error):
    def refuse(self, path):
        raise error(path)

    monkeypatch.setattr(LocalBackend, "remove", refuse)
    runner = make_runner(tmp_path, default_hooks=dict(checkpoint=KEEP_ONE))
    runner.train()
    assert runner.iter == ITERS


def test_checkpoint_removed_by_somebody_else_during_the_save(tmp_path, monkeypatch):
    isfile = LocalBackend.isfile

    def gone_afterwards(self, path):
        found = isfile(self, path)
        if found:
            os.unlink(path)
        return found

    monkeypatch.setattr(LocalBackend, "isfile", gone_afterwards)
    best = dict(KEEP_ONE, save_best="score", rule="greater")
    runner = make_runner(tmp_path, default_hooks=dict(checkpoint=best))
    runner.train()
    assert (tmp_path / f"iter_{ITERS}.pth").is_file()


def test_leftovers_are_swept_when_a_run_starts(tmp_path):
    dead = subprocess.Popen([sys.executable, "-c", ""])
    dead.wait()
    make_runner(tmp_path).train()
    leftover = tmp_path / f".iter_3.pth.{dead.pid}.tmp"
    alive = tmp_path / f".iter_99.pth.{os.getpid()}.tmp"
    for resume in (True, False):
        leftover.write_bytes(b"half")
        alive.write_bytes(b"half")
        make_runner(tmp_path, resume=resume).train()
        assert not leftover.exists() and alive.exists()
