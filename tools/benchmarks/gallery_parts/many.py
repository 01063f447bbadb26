"""Several processes at one gallery, and processes that are killed."""

from __future__ import annotations

import json
import random
import signal
import subprocess
import time
from collections import Counter
from pathlib import Path
from typing import Any

from mmreid_ext.deploy import Gallery

from . import worker


def together(place: str, size: int, seconds: float, batch: int = 100) -> dict[str, Any]:
    """Let two processes add while a third one searches; return what each of them saw.

    The third begins when both have added: on a busy machine they start long after one another.

    Args:
        place: A gallery; it is made if it isn't there.
        size: Numbers of an embedding.
        seconds: How long the third searches; the others are stopped after it.
        batch: Rows of an addition.
    """
    writers = [
        worker.start("write", place=place, name=name, size=size, batch=batch, batches=10**6)
        for name in ("one", "two")
    ]
    begun = [_begun(process) for process in writers]
    seen = worker.result(worker.start("search", place=place, size=size, seconds=seconds))
    acknowledged = [
        _stop(process, lines, signal.SIGTERM) for process, lines in zip(writers, begun, strict=True)
    ]
    there = people(place)
    lost = sum(there[person] != batch for person in sum(acknowledged, []))
    extra = [number for number in there.values() if number != batch]
    written = [batch * len(one) for one in acknowledged]
    return dict(searcher=seen, acknowledged=written, lost_batches=lost, half_batches=len(extra))


def kills(place: str, size: int, count: int, batch: int = 500, seed: int = 0) -> dict[str, Any]:
    """Kill a process that adds, again and again; return what is there afterwards.

    Args:
        place: A gallery; it is made if it isn't there.
        size: Numbers of an embedding.
        count: How many processes are killed, each up to half a second after its first addition.
        batch: Rows of an addition.
        seed: Of the moments.
    """
    moments = random.Random(seed)
    acknowledged: list[str] = []
    for number in range(count):
        process = worker.start(
            "write", place=place, name=f"kill {number}", size=size, batch=batch, batches=10**6
        )
        begun = _begun(process)
        time.sleep(moments.random() / 2)
        acknowledged += _stop(process, begun, signal.SIGKILL)
    there = people(place)
    lost = [person for person in acknowledged if there[person] != batch]
    half = [person for person, rows in there.items() if rows != batch]
    rows = sum(there.values())
    return dict(
        kills=count, acknowledged=batch * len(acknowledged), there=rows, lost=lost, half=half
    )


def people(place: str) -> Counter[str]:
    """Count the rows of each person."""
    with Gallery(place, read_only=True) as gallery:
        return Counter(gallery.people())


def _begun(process: subprocess.Popen[str]) -> list[str]:
    """Wait for the first addition of a process, and return what it has said until then."""
    if process.stdout is None:
        raise RuntimeError("its output isn't read")
    return [process.stdout.readline(), process.stdout.readline()]  # ready, and the addition


def _stop(process: subprocess.Popen[str], begun: list[str], how: signal.Signals) -> list[str]:
    """End a process that adds, and return the people whose additions it acknowledged."""
    process.send_signal(how)
    output, _ = process.communicate()
    lines = begun + output.splitlines()
    whole = [json.loads(line) for line in lines if line.strip().endswith("}")]
    return [one["person"] for one in whole if "person" in one]


def disk_mb(place: str) -> float:
    """Size of a gallery's files."""
    path = Path(place)
    return sum(file.stat().st_size for file in path.parent.glob(f"{path.name}*")) / 1e6
