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
    names = ("iter_3.pth", "best_score_iter_2.pth", "last_checkpoint")
    gone = [tmp_path / f".{name}.{dead.pid}.tmp" for name in names]
    gone.append(tmp_path / f".iter_98.pth.{os.getpid()}.tmp")  # the number of before a restart
    kept = [tmp_path / f".iter_99.pth.{os.getppid()}.tmp"]  # of a process that lives
    kept.append(tmp_path / f".iter_3.pth.mine.{dead.pid}.tmp")  # no name of the run
    for resume in (True, False):
        for path in (*gone, *kept):
            path.write_bytes(b"half")
        make_runner(tmp_path, resume=resume, save_best=True).train()
        assert [path.name for path in (*gone, *kept) if path.exists()] == [p.name for p in kept]
