"""Run something in a forked process: bounded in memory, processor and clock, and watched."""

from __future__ import annotations

import contextlib
import os
import resource
import signal
import sys
import time
import traceback
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

MOST_DATA = 6 * 2**30
"""Bytes of private memory at which the system refuses more: the machine is never filled."""

MOST_WALL = 240.0
"""Seconds after which a process is killed, on however busy a machine."""


@dataclass(frozen=True)
class Outcome:
    """How a process ended.

    Attributes:
        code: Exit code; below zero: the signal that ended it.
        text: What it wrote to both outputs.
        cpu: Its processor seconds.
        memory: Bytes that it took beyond those that it began with.
    """

    code: int
    text: str
    cpu: float
    memory: int


def run_forked(
    action: Callable[[], None],
    log: Path,
    cwd: Path,
    most_cpu: int,
    most_wall: float = MOST_WALL,
) -> Outcome:
    """Call ``action`` in a fork of this process.

    Args:
        action: What to do. ``SystemExit`` ends it as it ends a program.
        log: File for what it writes.
        cwd: Its folder.
        most_cpu: Processor seconds after which it is killed.
        most_wall: Seconds on the clock after which it is killed.
    """
    sys.stdout.flush()
    sys.stderr.flush()
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        # Pages of files are its parent's alone until it looks at them: it counts from its own.
        os.write(writing, str(_resident()).encode())
        _be_child(action, log, cwd, most_cpu)
    os.close(writing)
    before = int(os.read(reading, 32))
    os.close(reading)
    try:
        status, usage = _waited_for(child, time.monotonic() + most_wall)
    finally:
        _kill(child)  # and whatever it has left running
    text = log.read_bytes().decode("utf-8", "replace") if log.exists() else ""
    memory = max(0, usage.ru_maxrss * 1024 - before)
    code = os.waitstatus_to_exitcode(status)
    return Outcome(code, text, usage.ru_utime + usage.ru_stime, memory)


def _waited_for(child: int, until: float) -> tuple[int, resource.struct_rusage]:
    """Wait for the end of a process; kill it after its time."""
    while True:
        ended, status, usage = os.wait4(child, os.WNOHANG)
        if ended:
            return status, usage
        if time.monotonic() > until:
            _kill(child)
        time.sleep(0.02)


def _kill(child: int) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.killpg(child, signal.SIGKILL)


def _be_child(action: Callable[[], None], log: Path, cwd: Path, most_cpu: int) -> None:
    code = 1
    try:
        os.setsid()
        signal.signal(signal.SIGTERM, signal.SIG_DFL)  # its parent's handler isn't its own
        resource.setrlimit(resource.RLIMIT_DATA, (MOST_DATA, MOST_DATA))
        resource.setrlimit(resource.RLIMIT_CPU, (most_cpu, most_cpu + 5))
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        output = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
        os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
        os.dup2(output, 1)
        os.dup2(output, 2)
        os.chdir(cwd)
        code = _exit_code(action)
    except BaseException:  # noqa: BLE001 - it must never run on as a second parent
        traceback.print_exc()
    finally:
        with contextlib.suppress(BaseException):
            sys.stdout.flush()
            sys.stderr.flush()
        os._exit(code)


def _exit_code(action: Callable[[], None]) -> int:
    """Call it, and end as the interpreter does."""
    try:
        action()
    except SystemExit as end:
        if end.code is None or isinstance(end.code, int):
            return end.code or 0
        print(end.code, file=sys.stderr)
        return 1
    return 0


def _resident() -> int:
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE")
