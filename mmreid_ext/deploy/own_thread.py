"""Call a function of another package in a thread of its own, and wait for it."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import TypeVar

Result = TypeVar("Result")


class NoAnswerError(Exception):
    """A function that hasn't returned in time; what it does inside may go on."""


def call_in_own_thread(function: Callable[[], Result], seconds: float | None = None) -> Result:
    """Return what a function returns that runs in a new thread.

    A thread can't be ended: a late one is left behind, and holds up no exit.

    Args:
        function: Called once, without arguments.
        seconds: How long it may take; None: as long as it takes.

    Raises:
        NoAnswerError: If it hasn't returned by then.
        BaseException: What the function raised.
    """
    results: list[Result] = []
    errors: list[BaseException] = []

    def run() -> None:
        try:
            results.append(function())
        except BaseException as error:  # noqa: BLE001 - the caller gets it
            errors.append(error)

    thread = threading.Thread(target=run, name="own-thread", daemon=True)
    thread.start()
    thread.join(seconds)
    if errors:
        raise errors[0]
    if not results:
        raise NoAnswerError(f"no answer within {seconds:g} s")
    return results[0]
