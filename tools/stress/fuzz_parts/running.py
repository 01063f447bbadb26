"""Run cases of one part, each from a number, each with a limit of CPU time; count how they end."""

from __future__ import annotations

import contextlib
import logging
import os
import resource
import signal
import sys
import time
import traceback
import warnings
import zlib
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from mmreid_ext.shorten import one_line

MOST_KEPT = 50
"""Failures that are written down; more are counted only."""


class Mismatch(Exception):
    """The package and an oracle disagree."""


class TooSlow(Exception):
    """A case has used up its CPU time."""


def as_it_is(folder: Path) -> Path:
    """Prepare nothing."""
    return folder


@dataclass(frozen=True)
class Part:
    """One kind of case.

    Args:
        name: As on the command line.
        what: What is tried, for the report.
        case: Takes a generator and what ``prepare`` made; returns in a word how the case ended.
            Everything that it raises is a failure.
        prepare: Called once per process with an empty folder.
        seconds: CPU time of one case.
        noisy: Whether libraries print on the standard error; it is closed then.
    """

    name: str
    what: str
    case: Callable[[np.random.Generator, Any], str]
    prepare: Callable[[Path], Any] = as_it_is
    seconds: float = 5.0
    noisy: bool = False


@dataclass
class Tally:
    """How cases ended.

    Attributes:
        ends: How often in each way.
        failed: Number of failures.
        failures: Seed and description of the first of them.
        seconds: CPU time of all cases.
        slowest: CPU time and seed of the slowest case.
        memory: Growth of the greatest resident size, in bytes.
    """

    ends: Counter[str] = field(default_factory=Counter)
    failed: int = 0
    failures: list[tuple[int, str]] = field(default_factory=list)
    seconds: float = 0.0
    slowest: tuple[float, int] = (0.0, -1)
    memory: int = 0

    @property
    def cases(self) -> int:
        """Number of cases."""
        return sum(self.ends.values()) + self.failed

    def fail(self, seed: int, text: str) -> None:
        """Count a failure."""
        self.failed += 1
        if len(self.failures) < MOST_KEPT:
            self.failures.append((seed, text))

    def add(self, other: Tally) -> None:
        """Count what another tally has counted."""
        self.ends += other.ends
        self.failed += other.failed
        self.failures = (self.failures + other.failures)[:MOST_KEPT]
        self.seconds += other.seconds
        self.slowest = max(self.slowest, other.slowest)
        self.memory = max(self.memory, other.memory)


def generator(part: Part, seed: int) -> np.random.Generator:
    """Return the generator of a case."""
    return np.random.default_rng([seed, zlib.crc32(part.name.encode())])


def run_cases(
    part: Part, seeds: Iterable[int], prepared: Any, started: Callable[[int], None] = lambda _: None
) -> Tally:
    """Run cases in this process.

    Args:
        part: What to run.
        seeds: A number for each case.
        prepared: What ``part.prepare`` made.
        started: Called with the number of each case before it begins.
    """
    tally, before = Tally(), _greatest_memory()
    with quiet(part.noisy):
        for seed in seeds:
            started(seed)
            begun = time.process_time()
            try:
                with cpu_limit(part.seconds):
                    tally.ends[part.case(generator(part, seed), prepared)] += 1
            except Exception as error:  # noqa: BLE001 - every error is a finding
                tally.fail(seed, described(error))
            spent = time.process_time() - begun
            tally.seconds += spent
            tally.slowest = max(tally.slowest, (spent, seed))
    tally.memory = _greatest_memory() - before
    return tally


def described(error: BaseException) -> str:
    """Say what went wrong and where, in one line."""
    frames = traceback.extract_tb(error.__traceback__)
    at = f" ({Path(frames[-1].filename).name}:{frames[-1].lineno})" if frames else ""
    return f"{type(error).__name__}: {one_line(error, 600)}{at}"


@contextlib.contextmanager
def cpu_limit(seconds: float) -> Iterator[None]:
    """Raise in a case that uses more CPU time, as soon as Python runs again."""

    def too_slow(*_: Any) -> None:
        raise TooSlow(f"more than {seconds:g} s of CPU time")

    before = signal.signal(signal.SIGPROF, too_slow)
    signal.setitimer(signal.ITIMER_PROF, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
        signal.signal(signal.SIGPROF, before)


@contextlib.contextmanager
def quiet(decoders: bool = False) -> Iterator[None]:
    """Let nothing be logged or warned of, and decoders print nothing.

    Args:
        decoders: Whether to close the standard error: they write to it past Python.
    """
    before = logging.root.manager.disable
    logging.disable(logging.CRITICAL)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            with _without_errors() if decoders else contextlib.nullcontext():
                yield
    finally:
        logging.disable(before)


@contextlib.contextmanager
def _without_errors() -> Iterator[None]:
    sys.stderr.flush()
    kept = os.dup(2)
    nothing = os.open(os.devnull, os.O_WRONLY)
    try:
        os.dup2(nothing, 2)
        yield
    finally:
        os.dup2(kept, 2)
        os.close(kept)
        os.close(nothing)


def _greatest_memory() -> int:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
