"""Start tools/serve.py as a process of its own, and watch its memory and CPU time."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from mmreid_ext.errors import UserError

ROOT = Path(__file__).resolve().parents[2]
_ADDRESS = re.compile(r"http://127\.0\.0\.1:(\d+)")
_TICKS = os.sysconf("SC_CLK_TCK") if hasattr(os, "sysconf") else 100


@dataclass(frozen=True)
class Running:
    """A service that answers.

    Attributes:
        process: The process.
        port: Its port of 127.0.0.1.
        first_answer: Seconds from its start to its first answer.
    """

    process: subprocess.Popen[str]
    port: int
    first_answer: float

    @property
    def memory(self) -> int:
        """Memory of its own in bytes: without pages that it shares with other programs."""
        status = Path(f"/proc/{self.process.pid}/status").read_text()
        found = re.search(r"RssAnon:\s+(\d+) kB", status)
        return int(found[1]) * 1024 if found else 0

    @property
    def cpu(self) -> float:
        """Seconds of CPU time, of all threads."""
        fields = Path(f"/proc/{self.process.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / _TICKS

    @property
    def alive(self) -> bool:
        """Whether it still runs."""
        return self.process.poll() is None


@contextmanager
def running_service(arguments: Sequence[object], threads: int = 1) -> Iterator[Running]:
    """Start the service, and stop it at the end.

    Args:
        arguments: Options of tools/serve.py; the port is a free one.
        threads: Threads of numerical libraries.

    Raises:
        UserError: If it doesn't start, with what it says.
    """
    names = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")
    env = dict(os.environ, PYTHONPATH=str(ROOT), PYTHONUNBUFFERED="1")
    env |= dict.fromkeys(names, str(threads))
    command = [sys.executable, str(ROOT / "tools" / "serve.py"), "--port", "0"]
    begin = time.perf_counter()
    process = subprocess.Popen(
        [*command, *map(str, arguments)], env=env, stdout=subprocess.PIPE, text=True
    )
    try:
        port = _port(process)
        _ask_health(port)
        yield Running(process, port, time.perf_counter() - begin)
    finally:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(30)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _port(process: subprocess.Popen[str]) -> int:
    said = ""
    for line in process.stdout or ():
        said += line
        found = _ADDRESS.search(line)
        if found:
            return int(found[1])
    raise UserError(f"The service didn't start (exit code {process.wait()}); see above. {said}")


def _ask_health(port: int) -> None:
    from urllib.request import urlopen

    with urlopen(f"http://127.0.0.1:{port}/health", timeout=30) as answer:
        answer.read()
