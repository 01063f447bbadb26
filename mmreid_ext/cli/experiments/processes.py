"""Start commands, and end all of them together."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import threading
from collections.abc import Sequence
from pathlib import Path

from .places import Place

_PATIENCE = 20.0
"""Seconds that an interrupted command is given to end by itself."""


class Processes:
    """The commands that run now.

    Args:
        own_output: Whether each writes into a file instead of the terminal. It then gets a process
            group, too, so that Ctrl-C reaches it once, from here.
    """

    def __init__(self, own_output: bool) -> None:
        self.own_output = own_output
        self._running: set[subprocess.Popen] = set()
        self._lock = threading.Lock()
        self._ended = False

    def call(self, command: Sequence[str], place: Place, output: Path) -> int:
        """Run a command and return its exit status; negative for a signal."""
        with contextlib.ExitStack() as stack:
            file = stack.enter_context(output.open("ab")) if self.own_output else None
            with self._lock:
                if self._ended:
                    return -signal.SIGINT
                process = subprocess.Popen(
                    command,
                    env={**os.environ, **place.environment},
                    stdin=subprocess.DEVNULL if file else None,
                    stdout=file,
                    stderr=subprocess.STDOUT if file else None,
                    start_new_session=file is not None,
                )
                self._running.add(process)
            if place.cores and hasattr(os, "sched_setaffinity"):
                with contextlib.suppress(OSError):  # it has ended already
                    os.sched_setaffinity(process.pid, place.cores)
            try:
                return process.wait()
            finally:
                if process.poll() is not None:
                    self._running.discard(process)

    def end(self) -> None:
        """Interrupt what runs, wait for it, and start nothing more."""
        with self._lock:
            self._ended = True
            running = [process for process in self._running if process.poll() is None]
        if self.own_output:  # otherwise the terminal has sent Ctrl-C to them, too
            for process in running:
                _signal_group(process, signal.SIGINT)
        for process in running:
            try:
                process.wait(_PATIENCE)
            except subprocess.TimeoutExpired:
                _signal_group(process, signal.SIGKILL) if self.own_output else process.kill()
                process.wait()


def _signal_group(process: subprocess.Popen, number: int) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, number)  # with its ranks and data workers
