"""Ranks watch one another, by one connection of each to a hub in rank 0.

A collective says only that a connection broke, or nothing at all: NCCL waits, and so does everybody
when a cable is pulled. The kernel closes the connection when a process dies, and both ends beat
every second, which tells a machine that is cut off from one that is slow. A thread does it; it
works while the rank computes, waits or reads.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from mmreid_ext.errors import UserError

from .hub import Hub, Loss
from .watcher import BEAT, Watch

SILENCE = 30.0
"""Seconds without a sign of life after which a rank is gone."""

_current: Watch | None = None


def current() -> Watch | None:
    """Return the watch of this process, None where it has no other ranks."""
    return _current


def start(
    rank: int,
    hosts: Sequence[str],
    place: Sequence[Any],
    hub: Hub | None,
    on_loss: Callable[[Loss], None],
) -> Watch:
    """Start the watch of this process."""
    global _current
    _current = Watch(rank, hosts, place, hub, seconds_of_silence(), on_loss)
    _current.start()
    return _current


def stop(failed: str | None = None) -> None:
    """End the watch of this process, and say why if it failed."""
    global _current
    if _current is not None:
        _current.close(failed)
        _current = None


def seconds_of_silence(environ: Mapping[str, str] = os.environ) -> float:
    """Return the seconds without a sign of life after which a rank is gone; 0 for never.

    Raises:
        UserError: If MMREID_SILENCE_SECONDS is no such number.
    """
    text = environ.get("MMREID_SILENCE_SECONDS", "")
    try:
        seconds = float(text) if text else SILENCE
    except ValueError:
        seconds = -1.0
    if seconds != 0 and not 3 * BEAT <= seconds < 1e7:
        raise UserError(
            f"MMREID_SILENCE_SECONDS={text}: expected at least {3 * BEAT:.0f} seconds, or 0 to "
            "wait without end."
        )
    return seconds


def _forget_in_child() -> None:
    global _current
    if _current is not None:
        _current.forget()
        _current = None


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forget_in_child)
