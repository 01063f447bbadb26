"""Let parts run in turn in a worker process, each for its share of the time."""

from __future__ import annotations

import multiprocessing
import os
import signal
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess
from typing import Any

from mmreid_ext.errors import UserError

from .worker import work

Take = Callable[[str, dict[str, Any]], None]
TO_START = 120
"""Seconds that a worker may take to import everything and to find the device"""


class Conductor:
    """Give parts to a worker; end those that take too long; go on after what went wrong.

    A part that raises or is ended may leave a device that fails at every call, so the next part
    gets a fresh worker.

    Args:
        settings: Of :func:`~.worker.work`.
        take: Called with the name of a part (empty: none) and each of its results.
    """

    def __init__(self, settings: dict[str, Any], take: Take) -> None:
        self.settings = dict(settings, shared={})
        self.take = take
        self._process: BaseProcess | None = None
        self._pipe: Connection | None = None

    def play(self, parts: Mapping[str, tuple[str, float]], seconds: float) -> None:
        """Run the parts in their order.

        Args:
            parts: Module of each part and its weight. Of the time that is left a part may take its
                weight over that of all parts from it on; what it leaves is for those after it.
            seconds: For all of them.

        Raises:
            UserError: If there is no such device.
        """
        end = time.monotonic() + seconds
        names = list(parts)
        try:
            for place, name in enumerate(names):
                self._start()
                module, weight = parts[name]
                left = max(0.0, end - time.monotonic())
                share = weight / sum(parts[other][1] for other in names[place:])
                self._play_one(name, module, left * share)
        finally:
            self._stop()

    def _start(self) -> None:
        if self._process is not None:
            return
        context = multiprocessing.get_context("spawn")
        self._pipe, theirs = context.Pipe()
        self._process = context.Process(target=work, args=(theirs, self.settings))
        self._process.start()
        theirs.close()
        event = self._next_event(TO_START)
        if event["kind"] == "refused":
            raise UserError(event["text"])
        if event["kind"] != "machine":
            raise UserError(f"gpu_suite: the worker {event['text']} while it started; see its log.")
        self.take("", event)

    def _play_one(self, name: str, module: str, limit: float) -> None:
        start = time.monotonic()
        self.take(name, dict(kind="begin", limit=limit))
        if self._pipe is None:
            return
        self._pipe.send((module, limit))
        while True:
            event = self._next_event(start + limit - time.monotonic())
            if event["kind"] == "end":
                break
            self.take(name, event)
        self.settings["shared"] = event.pop("shared", self.settings["shared"])
        if event["state"] != "done":
            self._stop()
        self.take(name, dict(event, seconds=time.monotonic() - start))

    def _next_event(self, seconds: float) -> dict[str, Any]:
        """Wait for the worker; silence and its death are ends, too."""
        if self._pipe is None or self._process is None:
            return dict(kind="end", state="failed", text="was not there")
        if not self._pipe.poll(max(0.0, seconds)):
            text = "overran its time and was ended"
            return dict(kind="end", state="ended", text=text)
        try:
            return self._pipe.recv()
        except (EOFError, OSError):
            self._process.join(5)
            code = self._process.exitcode
            return dict(kind="end", state="failed", text=f"ended by itself with code {code}")

    def _stop(self) -> None:
        """End the worker and all that it has started."""
        if self._process is None or self._pipe is None:
            return
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(self._process.pid or 0, signal.SIGKILL)
        self._process.kill()
        self._process.join()
        self._pipe.close()
        self._process = self._pipe = None
