"""Processes that load images outlive a signal to the whole group, and not the training."""

import os
import signal
import subprocess
import sys
import textwrap

import pytest
from torch.utils.data._utils import signal_handling

from mmreid_ext.engine.stopping import loader_workers
from mmreid_ext.engine.stopping.loader_workers import spare_loader_workers

SCRIPT = """
import os, signal, sys, time
import torch
from torch.utils.data import DataLoader
from mmreid_ext.engine.stopping.loader_workers import spare_loader_workers
from mmreid_ext.stopping.request import StopRequest

spare_loader_workers()
request = StopRequest()
listens = sys.argv[1] == "listens"
if listens:
    request.__enter__()
else:
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    signal.signal(signal.SIGUSR1, signal.SIG_IGN)
loader = iter(DataLoader(torch.arange(40), num_workers=2, multiprocessing_context="fork"))
next(loader)
os.killpg(0, signal.SIGTERM)
os.killpg(0, signal.SIGUSR1)
time.sleep(0.3)
print(sum(int(batch) for batch in loader), request.words(request.reason()), flush=True)
if len(sys.argv) > 2:
    loader = iter(DataLoader(torch.arange(40), num_workers=1, multiprocessing_context="fork"))
    next(loader)
    raise SystemExit("ends with workers that wait")
"""

OF_MULTIPROCESSING = """
import multiprocessing
import torch
from torch.utils.data import DataLoader
from mmreid_ext.engine.stopping.loader_workers import spare_loader_workers
from mmreid_ext.stopping.request import StopRequest

def rank():
    spare_loader_workers()
    StopRequest().__enter__()
    global loader
    loader = iter(DataLoader(torch.arange(40), num_workers=1, multiprocessing_context="fork"))
    next(loader)

process = multiprocessing.get_context("fork").Process(target=rank)
process.start()
process.join(30)
print("hangs" if process.exitcode is None else process.exitcode)
process.kill()
"""


def run(*arguments, script=SCRIPT):
    return subprocess.run(
        [sys.executable, "-c", textwrap.dedent(script), *arguments],
        capture_output=True,
        text=True,
        timeout=120,
        start_new_session=True,
        env=dict(os.environ, OMP_NUM_THREADS="1"),
    )


@pytest.mark.slow
@pytest.mark.skipif(not hasattr(os, "fork"), reason="no processes are forked here")
def test_workers_outlive_a_signal_to_the_group():
    result = run("listens", "and ends")
    assert result.stdout.split() == [str(sum(range(1, 40))), "SIGTERM"], result.stderr
    assert result.stderr.splitlines()[-1] == "ends with workers that wait"  # and doesn't hang
    without = run("doesn't")
    assert "RuntimeError: DataLoader worker" in without.stderr


@pytest.mark.slow
@pytest.mark.skipif(not hasattr(os, "fork"), reason="no processes are forked here")
def test_a_process_of_multiprocessing_ends_with_workers_that_wait():
    result = run(script=OF_MULTIPROCESSING)
    assert result.stdout == "0\n", result.stderr


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no processes are forked here")
def test_a_worker_of_an_ending_training_ends_without_an_error(monkeypatch):
    """PyTorch reports a worker that a signal has killed, by a traceback below our one line."""
    monkeypatch.setattr(loader_workers, "_shared", b"\1")
    worker = os.fork()
    if worker == 0:
        loader_workers._ignore_while_parent_lives(os.getppid())
        os.kill(os.getpid(), signal.SIGTERM)
        os._exit(1)  # not reached
    assert os.waitpid(worker, 0)[1] == 0


def test_it_is_done_once(monkeypatch):
    name = "_set_worker_signal_handlers"
    monkeypatch.setattr(signal_handling, name, getattr(signal_handling, name))
    spare_loader_workers()
    first = getattr(signal_handling, name)
    spare_loader_workers()
    assert getattr(signal_handling, name) is first
