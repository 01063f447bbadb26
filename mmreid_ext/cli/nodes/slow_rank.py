"""Find the rank for which all others wait."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from statistics import median
from typing import NamedTuple

FACTOR = 1.5
"""A rank is slow if its own work takes this many times the median of the other ranks'."""

LEAST = 0.01
"""Seconds per iteration below which a difference is no matter."""

IN_A_ROW = 2
"""Reports in a row of one slow rank, before it is said."""


class Times(NamedTuple):
    """What a rank does itself in an iteration, in seconds, without waiting for others.

    Attributes:
        pictures: From the end of an iteration to the next batch.
        forward: Forward passes.
    """

    pictures: float
    forward: float

    @property
    def total(self) -> float:
        """Both together."""
        return self.pictures + self.forward


class SlowRanks:
    """Reports of all ranks, and what is to be said about them.

    Args:
        hosts: The machine of each rank.
    """

    def __init__(self, hosts: Sequence[str]) -> None:
        self.hosts = tuple(hosts)
        self._latest: dict[int, Times] = {}
        self._suspect: int | None = None
        self._times_in_a_row = 0
        self._said: int | None = None

    def report(self, rank: int, times: Mapping[str, float]) -> None:
        """Take a rank's report; any thread may call it. What is no report is passed over."""
        try:
            found = Times(float(times["pictures"]), float(times["forward"]))
        except (KeyError, TypeError, ValueError):
            return
        if 0 <= rank < len(self.hosts):
            self._latest[rank] = found

    def verdict(self) -> str | None:
        """Return what to say once every rank has reported again, None if there is nothing new."""
        if len(self._latest) < len(self.hosts):
            return None
        latest, self._latest = self._latest, {}
        slow = max(latest, key=lambda rank: latest[rank].total)
        others = median(times.total for rank, times in latest.items() if rank != slow)
        own = latest[slow]
        if own.total < FACTOR * others or own.total - others < LEAST:
            self._suspect, self._times_in_a_row, self._said = None, 0, None
            return None
        self._times_in_a_row = self._times_in_a_row + 1 if self._suspect == slow else 1
        self._suspect = slow
        if self._times_in_a_row < IN_A_ROW or self._said == slow:
            return None
        self._said = slow
        return (
            f"rank {slow} on {self.hosts[slow]} is slow, and all others wait for it: its own work "
            f"takes {own.total:.3f} s per iteration (waiting for pictures {own.pictures:.3f} s, "
            f"forward pass {own.forward:.3f} s), that of the others {others:.3f} s."
        )
