"""Run cases in a process of their own: one that hangs, dies or eats memory ends alone."""

from __future__ import annotations

import multiprocessing
import os
import resource
import tempfile
import threading
import time
from collections.abc import Callable
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

from .running import Part, Tally, quiet, run_cases

_BATCH = 200
_NONE = -1


def run_apart(
    part: Part,
    first: int,
    count: int,
    *,
    memory: int,
    seconds: float,
    until: float = float("inf"),
    progress: Callable[[Tally], None] = lambda _: None,
) -> Tally:
    """Run cases in another process, and in a new one when that ends early.

    Args:
        part: What to run.
        first: Number of the first case.
        count: How many.
        memory: Bytes of address space that cases may add to what the process has before the first.
        seconds: Of the clock, after which a case is ended from outside.
        until: When to begin no further batch, as ``time.monotonic()`` says.
        progress: Called with the tally after every batch.
    """
    tally, fatal, end = Tally(), set[int](), first + count
    while first < end and time.monotonic() < until:
        # The folder is this process's: one that is killed leaves nothing behind.
        with tempfile.TemporaryDirectory(prefix="fuzz") as folder:
            first, culprit, how = _one_process(
                part, first, end, fatal, memory, seconds, until, tally, progress, folder
            )
        if culprit != _NONE:
            fatal.add(culprit)
            tally.fail(culprit, how)
    return tally


def _one_process(
    part: Part,
    first: int,
    end: int,
    fatal: set[int],
    memory: int,
    seconds: float,
    until: float,
    tally: Tally,
    progress: Callable[[Tally], None],
    folder: str,
) -> tuple[int, int, str]:
    """Return where to go on, and which case ended the process in what way."""
    context = multiprocessing.get_context("spawn")
    now = context.Value("q", _NONE, lock=False)
    here, there = context.Pipe(duplex=False)
    arguments = (
        part,
        first,
        end,
        sorted(fatal),
        memory,
        until - time.monotonic(),
        now,
        there,
        folder,
    )
    process = context.Process(target=_work, args=arguments, daemon=True)
    process.start()
    there.close()
    how = ""
    try:
        while True:
            how = _wait(process, here, now, seconds)
            if how:
                break
            done, part_tally = here.recv()
            if done is None:
                return end, _NONE, ""
            first = done
            tally.add(part_tally)
            progress(tally)
    except EOFError:
        process.join(60)
        how = f"the process died with exit code {process.exitcode}"
    finally:
        process.kill()
        process.join(60)
        here.close()
    if now.value == _NONE:
        raise RuntimeError(f"{part.name}: the process could not begin: {how}.")
    return first, now.value, how


def _wait(process: Any, here: Connection, now: Any, seconds: float) -> str:
    """Wait for a message; return what is wrong where none will come."""
    seed, since = now.value, time.monotonic()
    while not here.poll(0.5):
        if now.value != seed:
            seed, since = now.value, time.monotonic()
        elif time.monotonic() - since > seconds + 60 * (seed == _NONE):
            return f"it didn't end within {seconds:g} s of the clock"
    return ""


def _work(
    part: Part,
    first: int,
    end: int,
    fatal: list[int],
    memory: int,
    left: float,
    now: Any,
    pipe: Connection,
    folder: str,
) -> None:
    """Run cases, and report after every batch."""
    until = time.monotonic() + left
    threading.Thread(target=_end_with_parent, daemon=True).start()
    os.chdir(folder)
    with quiet(part.noisy):
        prepared = part.prepare(Path(folder))
    limit = _address_space() + memory
    resource.setrlimit(resource.RLIMIT_AS, (limit, limit))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))

    def started(seed: int) -> None:
        now.value = seed

    while first < end and time.monotonic() < until:
        stop = min(first + _BATCH, end)
        seeds = (seed for seed in range(first, stop) if seed not in fatal)
        tally = run_cases(part, seeds, prepared, started)
        first = stop
        pipe.send((first, tally))
    pipe.send((None, None))


def _end_with_parent() -> None:
    """End at once when the process that started this one has ended, however it did."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)


def _address_space() -> int:
    pages = int(Path("/proc/self/statm").read_text().split()[0])
    return pages * os.sysconf("SC_PAGE_SIZE")
