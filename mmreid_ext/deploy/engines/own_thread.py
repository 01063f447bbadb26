"""Call what loads OpenVINO's CPU part in a thread of its own, which keeps signals safe.

OpenVINO's CPU plugin gives the thread that loads it another stack for signal handlers. A plugin
that goes takes its stack with it, and puts back the one it found. Two plugins that go in the order
in which they came put back a stack that is gone. The next signal then ends the process without a
word: the end of a worker of PyTorch's loader is such a signal. A thread that has ended has no stack
to lose. (OpenVINO 2026, ``src/plugins/intel_cpu/src/plugin.cpp``.)
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import TypeVar

Result = TypeVar("Result")


def call_in_own_thread(function: Callable[[], Result]) -> Result:
    """Return what a function returns that runs in a new thread, which then ends.

    Args:
        function: Called once, without arguments.

    Raises:
        BaseException: What the function raised.
    """
    results: list[Result] = []
    errors: list[BaseException] = []

    def run() -> None:
        try:
            results.append(function())
        except BaseException as error:  # noqa: BLE001 - the caller gets it
            errors.append(error)

    # A daemon: Ctrl-C ends the wait, and the process needn't wait for the thread.
    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    thread.join()
    if errors:
        raise errors[0]
    return results[0]
