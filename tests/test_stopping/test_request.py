"""Requests to stop are noted, and old handlers return."""

import os
import signal
import subprocess
import sys
import threading
import time

import pytest

from mmreid_ext.errors import RunStopped
from mmreid_ext.stopping import request as module
from mmreid_ext.stopping.request import ORPHANED, TIME, StopRequest

NUMBERS = (signal.SIGTERM, signal.SIGUSR1)


def handlers():
    return [signal.getsignal(number) for number in NUMBERS]


@pytest.mark.parametrize("number", NUMBERS)
def test_a_signal_is_noted_and_handlers_return(number):
    before = handlers()
    with StopRequest() as request:
        assert request.reason() == 0
        os.kill(os.getpid(), number)
        assert request.words(request.reason()) == signal.Signals(number).name
    assert handlers() == before


@pytest.mark.parametrize("error", [ValueError, RunStopped])
def test_handlers_return_after_errors(error):
    before = handlers()
    with pytest.raises(error), StopRequest():
        raise error
    assert handlers() == before


def test_a_process_that_ends_ignores_what_its_launcher_sends_next():
    before = handlers()
    try:
        with pytest.raises(RunStopped), StopRequest(for_process=True) as request:
            request.ignore()
            raise RunStopped
        assert handlers() == [signal.SIG_IGN] * 2
        for number in NUMBERS:
            os.kill(os.getpid(), number)
    finally:
        for number, handler in zip(NUMBERS, before, strict=True):
            signal.signal(number, handler)


def test_a_second_sigterm_does_what_it_did_before(monkeypatch):
    got = []
    before = signal.signal(signal.SIGTERM, lambda *_: got.append("old"))
    try:
        with StopRequest() as request:
            for number in (signal.SIGUSR1, signal.SIGTERM, signal.SIGTERM, signal.SIGUSR1):
                os.kill(os.getpid(), number)
            assert got == []  # what a whole group gets counts as one
            assert request.words(request.reason()) == "SIGUSR1"
            monkeypatch.setattr(module, "ONE_REQUEST", 0.0)
            os.kill(os.getpid(), signal.SIGTERM)
            assert got == ["old"]
    finally:
        signal.signal(signal.SIGTERM, before)


def test_a_second_sigterm_ends_a_process_at_once():
    code = (
        "import time\nfrom mmreid_ext.stopping.request import StopRequest\n"
        "with StopRequest():\n    print('ready', flush=True)\n    time.sleep(60)\n    "
        "time.sleep(60)\n"
    )
    child = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE)
    try:
        assert child.stdout.readline() == b"ready\n"
        child.send_signal(signal.SIGTERM)
        with pytest.raises(subprocess.TimeoutExpired):
            child.wait(module.ONE_REQUEST + 0.2)
        child.send_signal(signal.SIGTERM)
        assert child.wait(30) == -signal.SIGTERM
    finally:
        child.kill()
        child.stdout.close()
        child.wait(30)


def test_other_threads_listen_to_nothing():
    before = handlers()
    inside = []

    def listen():
        with StopRequest():
            inside.append(handlers())

    thread = threading.Thread(target=listen)
    thread.start()
    thread.join(30)
    assert inside == [before]


def test_a_time_limit_leaves_room():
    request = StopRequest()
    assert request.reason(1e9) == 0
    request.limit, request.began = 1000, time.time() - 980
    assert request.reason(5.0) == 0
    assert request.reason(15.0) == TIME
    assert request.words(TIME) == "the time limit of 16m40s"
    request.limit, request.began = 8, time.time()  # a trial: at most a quarter is room
    assert request.reason(100.0) == 0
    request.began -= 6
    assert request.reason() == TIME


def test_the_end_of_the_launcher_is_a_reason(monkeypatch):
    monkeypatch.setenv("TORCHELASTIC_RUN_ID", "none")
    parent = os.getppid()
    with StopRequest() as request:
        assert request.reason() == 0
        monkeypatch.setattr(os, "getppid", lambda: 1)
        assert request.reason() == 0  # the machine may be going down
        monkeypatch.setattr(module, "ALONE", 0.0)
        assert request.reason() == ORPHANED
        assert request.words(ORPHANED) == "torchrun has ended without its ranks"
        monkeypatch.setattr(os, "getppid", lambda: parent)
        assert request.reason() == 0
    monkeypatch.delenv("TORCHELASTIC_RUN_ID")
    with StopRequest() as request:  # started by a shell, which has ended since
        monkeypatch.setattr(os, "getppid", lambda: 1)
        assert request.reason() == 0
