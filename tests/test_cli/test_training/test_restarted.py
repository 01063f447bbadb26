"""A restarted run goes on where the last attempt ended, or says that it starts anew."""

import os
import time
from argparse import Namespace

import pytest
import torch

from mmreid_ext.cli.training import restarted


def checkpoint(folder, name="iter_3.pth", age=0.0, optimizer=True):
    folder.mkdir(exist_ok=True)
    content = dict(state_dict={}, meta=dict(iter=3, time="now"))
    torch.save(content | (dict(optimizer={}) if optimizer else {}), folder / name)
    os.utime(folder / name, (time.time() - age,) * 2)
    return str(folder / name)


def resumed(monkeypatch, folder, resume=None, number=1):
    monkeypatch.setattr(restarted, "restarts_before", lambda: number)
    args = Namespace(resume=resume)
    text = restarted.resume_after_restart(args, str(folder))
    return args.resume, text


def test_a_first_attempt_does_as_it_is_told(tmp_path, monkeypatch):
    checkpoint(tmp_path)
    assert resumed(monkeypatch, tmp_path, number=0) == (None, "")


def test_a_second_one_goes_on(tmp_path, monkeypatch):
    checkpoint(tmp_path)
    for given in (None, "auto"):
        resume, text = resumed(monkeypatch, tmp_path, given, number=2)
        assert resume == "auto"
        assert text == f"restart 2: the run goes on from the last checkpoint in {tmp_path}"


@pytest.mark.parametrize("given", [None, "auto"])
def test_without_a_checkpoint_it_starts_anew(tmp_path, monkeypatch, given):
    checkpoint(tmp_path, "best_mAP_iter_2.pth", optimizer=False)  # no run goes on from it
    resume, text = resumed(monkeypatch, tmp_path, given)
    assert resume is None
    assert text.endswith("no checkpoint had been written, the run starts from the beginning")


def test_a_file_that_was_named_counts_until_there_is_a_newer_one(tmp_path, monkeypatch):
    monkeypatch.setattr(restarted, "elastic_restarts", lambda: 1)
    monkeypatch.setattr(restarted, "note_beginning", lambda: time.time() - 50)
    named = checkpoint(tmp_path / "earlier", age=1000)
    folder = tmp_path / "run"
    checkpoint(folder, "iter_9.pth", age=100)  # of a run before this one
    resume, text = resumed(monkeypatch, folder, named)
    assert resume == named and text.endswith(f"goes on from {named} again")
    checkpoint(folder, "iter_4.pth")
    assert resumed(monkeypatch, folder, named)[0] == "auto"
