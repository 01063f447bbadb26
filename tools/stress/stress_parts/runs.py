"""Start the ranks of a small run as processes forked from this one, watch them, end them.

This process has imported everything, so a rank begins at once. It never computes: a forked process
has none of the threads of its parent.
"""

from __future__ import annotations

import atexit
import faulthandler
import gc
import os
import signal
import socket
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from multiprocessing import connection, get_context
from pathlib import Path
from typing import Any

import mmpretrain.models  # noqa: F401 (here, not in every rank)
import torch
from mmengine.config import Config
from mmengine.config import config as mm_config
from mmengine.runner import Runner

from mmreid_ext.cli.launch import prepare
from mmreid_ext.cli.nodes.losing import watched
from mmreid_ext.cli.training.stopping import stop_on
from mmreid_ext.engine import train_loop  # noqa: F401
from mmreid_ext.errors import STOPPED_ON_REQUEST, RunStopped
from mmreid_ext.evaluation import reid_metric  # noqa: F401
from mmreid_ext.stopping.request import StopRequest

from .record import Progress, Record

LIMIT = 120.0
"""Seconds that any part of a run may take. A run takes some; this is for those that hang."""

_processes = get_context("fork")
_running: set[Ranks] = set()


def end_all() -> None:
    """Kill the ranks of all attempts that haven't been ended."""
    for one in list(_running):
        one.end()


class Ranks:
    """The processes of one attempt of a run.

    Args:
        cfg: Settings of the run; its work folder's neighbour ``NAME.jsonl`` gets the record.
        world_size: Number of ranks.
        resume: Whether to continue the run of the folder.
        prepared: Called in each rank with (rank, runner) before the training.
    """

    def __init__(
        self,
        cfg: Config,
        world_size: int = 1,
        resume: bool = False,
        prepared: Callable[[int, Runner], None] | None = None,
    ) -> None:
        cfg = cfg.copy()
        cfg.resume, cfg.launcher = resume, "pytorch" if world_size > 1 else "none"
        self.work_dir = work_dir = Path(cfg.work_dir)
        self.record = record_of(work_dir)
        self.log = work_dir.with_name(f"{work_dir.name}.log")
        self.temporary = work_dir.with_name("temporary")
        self.temporary.mkdir(exist_ok=True)
        port = _free_port() if world_size > 1 else 0
        self._events, ours = _processes.Pipe(duplex=False)
        environment = dict(WORLD_SIZE=world_size, MASTER_ADDR="127.0.0.1", MASTER_PORT=port)
        gc.collect()
        gc.freeze()  # ranks pass over it, and don't copy the memory
        self.processes = [
            _processes.Process(
                target=_be_a_rank, args=(self, cfg, rank, environment, ours, prepared)
            )
            for rank in range(world_size)
        ]
        for process in self.processes:
            process.start()
        ours.close()
        _running.add(self)
        self.sessions = [process.pid for process in self.processes]
        self.iteration: int | None = None
        self.began_at: int | None = None

    def alive(self) -> list[Any]:
        """Return the ranks that live."""
        return [process for process in self.processes if process.is_alive()]

    def follow(self, iteration: int | None = None, seconds: float = LIMIT) -> bool:
        """Wait until rank 0 has finished an iteration, or until all ranks or the time are over.

        Args:
            iteration: Finished iterations, those before a resumption included; 0 is the beginning.
                None waits for the end.
            seconds: The longest wait.

        Returns:
            Whether it came to that.
        """
        deadline = time.monotonic() + seconds
        while (left := deadline - time.monotonic()) > 0:
            self._take_events()
            if iteration is not None and (self.iteration or 0) >= iteration:
                return True
            alive = [process.sentinel for process in self.processes if process.is_alive()]
            if not alive:
                self._take_events()
                return iteration is None
            # A loader's process can keep the sentinel of a killed rank open.
            connection.wait([*alive, *self._open_events()], min(left, 0.05))
        return False

    def _open_events(self) -> Sequence[Any]:
        return [] if self._events.closed else [self._events]

    def _take_events(self) -> None:
        try:
            while not self._events.closed and self._events.poll():
                kind, number = self._events.recv()
                self.iteration = number
                if kind == "began":
                    self.began_at = number
        except EOFError:  # the last process that could write has gone
            self._events.close()

    def end(self) -> list[int | None]:
        """Kill what still lives, and return the exit codes by rank."""
        for process in self.processes:
            if process.is_alive():
                process.kill()
            process.join(LIMIT)
        codes = [process.exitcode for process in self.processes]
        for process in self.processes:
            process.close()
        self.processes = []
        self._take_events()
        _running.discard(self)
        self._events.close()
        return codes

    def finish(self, seconds: float = LIMIT) -> list[int | None]:
        """Wait for the end and return the exit codes by rank.

        Raises:
            TimeoutError: If they hang; they are killed.
        """
        ended = self.follow(seconds=seconds)
        codes = self.end()
        if not ended:
            raise TimeoutError(f"ranks did not end within {seconds:.0f} s: {self.said()}")
        return codes

    def said(self) -> str:
        """Return the end of what the ranks wrote."""
        return self.log.read_text(errors="replace")[-3000:]


def record_of(work_dir: Path) -> Path:
    """Return the file that losses and validations of a run are recorded in."""
    return work_dir.with_name(f"{work_dir.name}.jsonl")


def _be_a_rank(
    ranks: Ranks,
    cfg: Config,
    rank: int,
    environment: dict,
    events: Any,
    prepared: Callable[[int, Runner], None] | None,
) -> None:
    os.setsid()  # what is left of this rank is found by its session
    signal.signal(signal.SIGTERM, signal.SIG_DFL)  # its parent's handler isn't its own
    log = os.open(ranks.log, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    for descriptor in (1, 2):
        os.dup2(log, descriptor)
    os.close(log)
    own = dict(environment, RANK=rank, LOCAL_RANK=rank, TMPDIR=ranks.temporary)
    own["CUDA_VISIBLE_DEVICES"] = ""
    os.environ.update({key: str(value) for key, value in own.items()})
    tempfile.tempdir = str(ranks.temporary)
    if sys.platform == "linux":
        os.environ["GLOO_SOCKET_IFNAME"] = "lo"
    torch.set_num_threads(1)
    faulthandler.dump_traceback_later(0.8 * LIMIT)  # says in the log where a rank hangs
    # To lay out the configuration's text takes longer than all else in a checkpoint.
    mm_config.FormatCode = lambda text, **_: (text, True)
    try:
        with StopRequest(for_process=True) as request, watched():
            prepare(cfg, rank)
            runner = Runner.from_cfg(cfg)
            stop_on(request, runner)
            runner.register_hook(Record(ranks.record), priority="NORMAL")  # before checkpoints
            runner.register_hook(Progress(events), priority="LOWEST")
            if prepared is not None:
                prepared(rank, runner)
            runner.train()
    except RunStopped:
        raise SystemExit(STOPPED_ON_REQUEST) from None
    finally:
        atexit._run_exitfuncs()  # as at the end of a program; forked processes leave it out


def _free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return one.getsockname()[1]
