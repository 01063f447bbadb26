"""Notice that this process should stop: signals, a limit of its time, the end of its launcher.

The request is only noted. Whoever does the work asks for the reason when it suits.
"""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Sequence
from types import FrameType, TracebackType
from typing import Any

from mmreid_ext.errors import RunStopped

from .durations import shown

SIGNALS = ("SIGTERM", "SIGUSR1")
TIME = 1
"""Reason of a process whose time is over; other reasons are 100 + the number of a signal."""

ORPHANED = 2
"""Reason of a rank whose torchrun has ended without it: nobody would end or restart it."""

ALONE = 5.0
"""Seconds that such a rank goes on: where a whole machine goes down, it isn't asked for more."""

ONE_REQUEST = 1.0
"""Seconds in which signals count as one: launchers pass on what the whole group has got."""

ROOM = 10.0
"""Seconds that a time limit leaves beside what the last steps show."""


class StopRequest:
    """Listens for signals inside a ``with`` block; the handlers of before return after it.

    The first signal is noted. A second SIGTERM, a second or more after the first, does what it
    would have done without this class: it ends the process at once. SIGUSR1 never does.

    Args:
        signals: Names of the signals.
        for_process: Whether the process ends with the block. Then a stopped run goes on to ignore
            signals, since its launcher sends more of them to ranks that are about to end.

    Attributes:
        limit: Seconds after ``began`` at which the run should have ended, None without a limit.
        began: When the time began to run, in seconds since 1970.
    """

    def __init__(self, signals: Sequence[str] = SIGNALS, for_process: bool = False) -> None:
        self.limit: float | None = None
        self.began = time.time()
        self._names = tuple(name for name in signals if hasattr(signal, name))  # Windows lacks some
        self._for_process = for_process
        self._before: dict[int, Any] = {}
        self._received = 0
        self._terminated_at: float | None = None
        self._launcher: int | None = None
        self._alone_since: float | None = None

    def __enter__(self) -> StopRequest:
        if "TORCHELASTIC_RUN_ID" in os.environ:  # not where a shell is the parent: it may end
            self._launcher = os.getppid()
        if threading.current_thread() is threading.main_thread():  # no other may listen
            for name in self._names:
                number = getattr(signal, name)
                self._before[number] = signal.signal(number, self._note)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if not (self._for_process and kind is not None and issubclass(kind, RunStopped)):
            for number, handler in self._before.items():
                signal.signal(number, signal.SIG_DFL if handler is None else handler)
        self._before = {}

    def reason(self, needed: float = 0.0) -> int:
        """Return why to stop now, as a number for :meth:`words`; 0 is no reason.

        Args:
            needed: Seconds that another step and its checkpoint may take.
        """
        if self._received or self._is_orphaned():
            return self._received or ORPHANED
        if self.limit is None:
            return 0
        # Short limits are for trials; there is no room for much room.
        room = min(needed + ROOM, self.limit / 4)
        return TIME if time.time() - self.began + room >= self.limit else 0

    def words(self, reason: int) -> str:
        """Say in words what a reason is."""
        if reason == TIME:
            return f"the time limit of {shown(self.limit or 0)}"
        if reason == ORPHANED:
            return "torchrun has ended without its ranks"
        return signal.Signals(reason - 100).name

    def ignore(self) -> None:
        """Ignore further signals: all is done, and what is left takes a moment."""
        for number in self._before:
            signal.signal(number, signal.SIG_IGN)

    def _is_orphaned(self) -> bool:
        if self._launcher is None or os.getppid() == self._launcher:
            return False
        now = time.monotonic()
        if self._alone_since is None:
            self._alone_since = now
        return now - self._alone_since >= ALONE

    def _note(self, number: int, frame: FrameType | None) -> None:
        self._received = self._received or 100 + number
        if number != signal.SIGTERM:
            return
        now = time.monotonic()
        if self._terminated_at is None:
            self._terminated_at = now
        elif now - self._terminated_at >= ONE_REQUEST:
            before = self._before.get(number)
            signal.signal(number, signal.SIG_DFL if before is None else before)
            os.kill(os.getpid(), number)
