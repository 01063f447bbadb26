"""Ctrl-C ends a run of several ranks without a traceback of the launcher."""

import logging
import signal

import pytest
from torch.distributed import run
from torch.distributed.elastic.multiprocessing.api import SignalException

from mmreid_ext.cli.screen import torchrun


def interrupted_by(number):
    def run_ranks(arguments):
        raise SignalException("got a signal", sigval=number)

    return run_ranks


def test_an_interrupt_has_the_shells_exit_code(monkeypatch):
    monkeypatch.setattr(run, "main", interrupted_by(signal.SIGINT))
    with pytest.raises(SystemExit) as caught:
        torchrun.main(["script.py"])
    assert caught.value.code == 130


def test_other_signals_are_the_launchers(monkeypatch):
    monkeypatch.setattr(run, "main", interrupted_by(signal.SIGTERM))
    with pytest.raises(SignalException):
        torchrun.main(["script.py"])


@pytest.mark.parametrize("text, shown", [("Sending process %s closing", False), ("failed", True)])
def test_signals_are_not_announced(text, shown):
    record = logging.LogRecord("torch", logging.WARNING, "api.py", 1, text, None, None)
    assert torchrun.is_no_announcement(record) == shown
