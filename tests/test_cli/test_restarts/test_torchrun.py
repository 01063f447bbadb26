"""A run of several ranks ends as its ranks do, without a traceback of the launcher."""

import logging
import os
import signal
from pathlib import Path
from types import SimpleNamespace

import pytest
from torch.distributed import run
from torch.distributed.elastic.multiprocessing.api import SignalException
from torch.distributed.elastic.multiprocessing.errors import ChildFailedError, ProcessFailure

from mmreid_ext.cli.restarts import agent, torchrun


@pytest.fixture(autouse=True)
def handlers():
    numbers = (signal.SIGTERM, signal.SIGUSR1)
    before = [signal.getsignal(number) for number in numbers]
    yield
    for number, handler in zip(numbers, before, strict=True):
        signal.signal(number, handler)


def ended_by(error):
    def run_ranks(arguments):
        raise error

    return run_ranks


@pytest.mark.parametrize("number, code", [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_signal_has_the_shells_exit_code(monkeypatch, number, code):
    monkeypatch.setattr(run, "main", ended_by(SignalException("got a signal", sigval=number)))
    with pytest.raises(SystemExit) as caught:
        torchrun.main(["script.py"])
    assert caught.value.code == code


@pytest.mark.parametrize("code", [0, 1, 2, 75])
def test_ranks_decide_on_the_exit_code(monkeypatch, tmp_path, code):
    failed = ProcessFailure(0, 12, code or -9, str(tmp_path / "none.json"))
    monkeypatch.setattr(run, "main", ended_by(ChildFailedError("train.py", {0: failed})))
    requests = SimpleNamespace(code=code, install=lambda: None)
    monkeypatch.setattr(agent, "Requests", lambda: requests)
    monkeypatch.setenv(torchrun.BEGAN, "1.0")
    with pytest.raises(SystemExit if code > 1 else ChildFailedError) as caught:
        torchrun.main(["train.py"])
    assert code < 2 or caught.value.code == code


@pytest.mark.parametrize("own", [False, True])
def test_reports_of_errors_are_left_nowhere(monkeypatch, tmp_path, own):
    seen = []

    def look(arguments):
        folder = Path(run.parse_args(arguments).log_dir)
        seen.append((folder, folder.is_dir()))

    monkeypatch.setattr(run, "main", look)
    kept = ["--log-dir", str(tmp_path)] if own else []
    torchrun.main([*kept, "script.py"])
    ((folder, was_there),) = seen
    assert was_there and folder.exists() == own


@pytest.mark.parametrize(
    "text, arguments, shown",
    [
        ("Sending process %s closing", (3,), False),
        ("failed (exitcode: %s) local_rank: %s", (75, 0), False),
        ("failed (exitcode: %s) local_rank: %s", (1, 0), True),
        ("another", (), True),
    ],
)
def test_what_was_asked_for_is_not_announced(text, arguments, shown):
    record = logging.LogRecord("torch", logging.WARNING, "api.py", 1, text, arguments, None)
    assert torchrun.is_no_announcement(record) == shown


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGUSR1])
def test_a_request_before_ranks_are_started(monkeypatch, number):
    """PyTorch takes seconds to load."""
    monkeypatch.setattr(run, "parse_args", lambda words: os.kill(os.getpid(), number))
    with pytest.raises(SystemExit) as caught:
        torchrun.main(["tools/train.py"])
    assert caught.value.code == 75
