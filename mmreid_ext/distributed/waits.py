"""Seconds that this rank has waited for others in the collectives of this package."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager

_waited = 0.0


@contextmanager
def waiting() -> Iterator[None]:
    """Count the seconds inside; gloo blocks there, NCCL returns at once."""
    global _waited
    began = time.perf_counter()
    try:
        yield
    finally:
        _waited += time.perf_counter() - began


def seconds_waited() -> float:
    """Return the seconds since the start of the process."""
    return _waited
