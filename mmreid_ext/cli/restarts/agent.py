"""torchrun's agent, which starts the ranks of a machine and watches them, with three changes.

* A request to stop (SIGTERM, SIGUSR1) is passed on to the ranks, which end by themselves with a
  checkpoint. torchrun itself would give them 30 seconds, and end with its own traceback.
* No further attempt is made where it would end as the last one: after a request to stop, and after
  an error that the user has to mend.
* Ranks that wait for a dead one get 5 seconds instead of 30.
"""

from __future__ import annotations

import os
import signal
import time
from functools import partial
from pathlib import Path
from types import FrameType
from typing import Any

from torch.distributed.elastic.agent.server.api import RunResult, WorkerGroup
from torch.distributed.elastic.agent.server.local_elastic_agent import LocalElasticAgent
from torch.distributed.elastic.multiprocessing import api
from torch.distributed.launcher import api as launcher

from mmreid_ext.errors import STOPPED_ON_REQUEST
from mmreid_ext.stopping.attempts import verdict_in
from mmreid_ext.stopping.request import ONE_REQUEST

PATIENCE = 5
"""Seconds that the other ranks have to end by themselves when one has died."""

ASKED = (signal.SIGTERM, signal.SIGUSR1)
_raise_signal = api._terminate_process_handler


class Requests:
    """Signals that the launcher gets, and the ranks to which it passes them on.

    Attributes:
        code: Exit code that the ranks have agreed upon, 0 before the end.
    """

    def __init__(self) -> None:
        self.asked = False
        self.code = 0
        self._terminated_at: float | None = None
        self._agent: ReIDAgent | None = None

    def install(self) -> None:
        """Stand in for torchrun's handler of SIGTERM, and handle SIGUSR1."""
        api._terminate_process_handler = self.receive  # type: ignore[assignment]
        launcher.LocalElasticAgent = partial(ReIDAgent, self)  # type: ignore[misc,assignment]
        signal.signal(signal.SIGUSR1, self.receive)
        signal.signal(signal.SIGTERM, self.receive)

    def receive(self, number: int, frame: FrameType | None) -> None:
        """Pass on a request; a second SIGTERM and every other signal are torchrun's to handle."""
        if number not in ASKED:
            _raise_signal(number, frame)
        self.asked = True
        if number == signal.SIGTERM:
            now = time.monotonic()
            if self._terminated_at is None:
                self._terminated_at = now
            elif now - self._terminated_at >= ONE_REQUEST:
                _raise_signal(number, frame)
        if self._agent is not None:
            self._agent.ask_ranks()

    def watch(self, agent: ReIDAgent) -> None:
        """Pass on requests to this agent's ranks."""
        self._agent = agent


class ReIDAgent(LocalElasticAgent):
    """See above.

    Args:
        requests: Requests to stop.
        args: Those of torchrun's agent.
        kwargs: The same.
    """

    def __init__(self, requests: Requests, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._requests = requests
        requests.watch(self)

    def ask_ranks(self) -> None:
        """Ask the ranks to stop; they don't count SIGUSR1, which they may have got already."""
        context = self._pcontext
        for pid in () if context is None else context.pids().values():
            try:
                os.kill(pid, signal.SIGUSR1)
            except ProcessLookupError:
                continue

    def _start_workers(self, worker_group: WorkerGroup) -> dict[int, Any]:
        if self._requests.asked:
            self._requests.code = STOPPED_ON_REQUEST
            raise SystemExit(STOPPED_ON_REQUEST)
        pids = super()._start_workers(worker_group)
        context = self._pcontext
        if context is not None:
            context.close = partial(context.close, timeout=PATIENCE)  # type: ignore[method-assign]
        return pids

    def _monitor_workers(self, worker_group: WorkerGroup) -> RunResult:
        result = super()._monitor_workers(worker_group)
        if result.is_failed():
            self._requests.code = self._agreed_code(result)
            if self._requests.code or self._requests.asked:
                self._remaining_restarts = 0
        return result

    def _agreed_code(self, result: RunResult) -> int:
        """The exit code of a run that is over, 0 where another attempt may end otherwise."""
        files = getattr(self._pcontext, "error_files", {}).values()  # whether they exist or not
        for folder in {Path(file).parents[2] for file in files if Path(file).is_absolute()}:
            over = verdict_in(folder)
            if over is not None:
                return over.code
        codes = {failure.exitcode for failure in result.failures.values()}
        early = {-number for number in ASKED}  # before they could note it, so nothing was begun
        if self._requests.asked and codes <= {STOPPED_ON_REQUEST} | early:
            return STOPPED_ON_REQUEST
        return 0
