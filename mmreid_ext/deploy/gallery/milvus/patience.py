"""Wait for a function of another package for a bounded time, whatever it does inside."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any


class NoAnswerError(Exception):
    """A function that hasn't returned in time; what it does inside may go on."""


def within(seconds: float, function: Callable[[], Any]) -> Any:
    """Call a function and return what it returns, or raise what it raises.

    pymilvus takes a timeout, but some of its loops forget it: it waits for an index for ever where
    the timeout is a float, and its retries follow one another. So the function runs in a thread of
    its own. A thread can't be ended: a late one is left behind, and holds up no exit.

    Args:
        seconds: How long it may take.
        function: What to call.

    Raises:
        NoAnswerError: If it hasn't returned by then.
    """
    answer: list[Any] = []
    error: list[BaseException] = []

    def call() -> None:
        try:
            answer.append(function())
        except BaseException as caught:  # noqa: BLE001 - raised again in the thread that waits
            error.append(caught)

    thread = threading.Thread(target=call, name="gallery-call", daemon=True)
    thread.start()
    thread.join(seconds)
    if error:
        raise error[0]
    if not answer:
        raise NoAnswerError(f"no answer within {seconds:g} s")
    return answer[0]
