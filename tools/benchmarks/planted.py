"""Make features with planted identities, and measure time and memory, for benchmarks."""

from __future__ import annotations

import ctypes
import platform
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from statistics import median

import numpy as np
import torch
from torch import Tensor

SIZES = {  # queries, gallery, identities, cameras, seed
    "tiny": (60, 240, 20, 4, 10),
    "small": (500, 2000, 100, 6, 11),
    "market": (3368, 15913, 751, 6, 12),
    "msmt17": (11659, 82161, 3060, 15, 13),
}
DIM, LATENT = 2048, 64


def plant(size: str) -> dict[str, Tensor | np.ndarray]:
    """Arguments of ``evaluate_retrieval``: L2-normalised features of planted identities.

    In a 64-d latent space: a centre per identity and a spread around it per image (both 1), a shift
    per camera (0.35); mapped to 2048 dimensions, with noise (0.3) in each of them. 17 % of the
    gallery are distractors. The scores mean nothing about any model.
    """
    queries, gallery, identities, cameras, seed = SIZES[size]
    rng = np.random.default_rng(seed)
    total = queries + gallery
    pids = rng.integers(1, identities + 1, total)
    away = queries + rng.choice(gallery, int(0.17 * gallery), replace=False)
    pids[away] = 0
    camids = rng.integers(0, cameras, total)
    centres = rng.standard_normal((identities + 1, LATENT), dtype=np.float32)
    latent = centres[pids] + 0.35 * rng.standard_normal((cameras, LATENT), dtype=np.float32)[camids]
    latent[away] = rng.standard_normal((len(away), LATENT), dtype=np.float32)
    latent += rng.standard_normal(latent.shape, dtype=np.float32)
    lift = torch.from_numpy(rng.standard_normal((LATENT, DIM), dtype=np.float32)) / LATENT**0.5
    feats = torch.empty(total, DIM)
    torch.mm(torch.from_numpy(latent), lift, out=feats)
    for block in feats.split(1024):
        block += 0.3 * torch.from_numpy(rng.standard_normal(block.shape, dtype=np.float32))
        block /= block.norm(dim=1, keepdim=True)
    return {
        "query_feats": feats[:queries],
        "gallery_feats": feats[queries:],
        "query_pids": pids[:queries],
        "gallery_pids": pids[queries:],
        "query_camids": camids[:queries],
        "gallery_camids": camids[queries:],
    }


def _resident() -> int:
    return int(Path("/proc/self/statm").read_text().split()[1]) * 4096


@dataclass(frozen=True)
class Cost:
    """Time and memory that one call took.

    Attributes:
        wall: Seconds by the clock.
        cpu: Seconds of CPU time, of all threads; steadier than the clock on a shared machine.
        memory: Peak of the process over its start, in MB.
        result: What the call returned.
    """

    wall: float
    cpu: float
    memory: float
    result: object = None


def measure(function: Callable[[], object]) -> Cost:
    """Run a function under a clock and, on Linux, a memory meter that looks every 5 ms."""
    metered = platform.system() == "Linux"
    if metered:  # give freed memory back, so that the start is honest
        ctypes.CDLL(None).malloc_trim(0)
    before = peak = _resident() if metered else 0
    stop = threading.Event()

    def watch() -> None:
        nonlocal peak
        while not stop.wait(0.005):
            peak = max(peak, _resident())

    watcher = threading.Thread(target=watch, daemon=True)
    if metered:
        watcher.start()
    wall, cpu = time.perf_counter(), time.process_time()
    result = function()
    wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
    stop.set()
    if metered:
        watcher.join()
    return Cost(wall, cpu, (peak - before) / 1e6, result)


def product(left: Tensor, right: Tensor, share: float = 1.0, rows: int = 1024) -> Cost:
    """Cost of ``left @ right.T`` by ``torch.mm`` in pieces that fit.

    A share under 1 computes only that part of the row blocks and scales the time.
    """
    blocks = left.split(rows)[:: max(1, round(1 / share))]
    out = torch.empty(rows, min(len(right), 16384))

    def run() -> None:
        for block in blocks:
            for part in right.split(16384):
                torch.mm(block, part.T, out=out[: len(block), : len(part)])

    cost = measure(run)
    factor = len(left) / sum(map(len, blocks))
    return Cost(cost.wall * factor, cost.cpu * factor, 0.0)


def middle(costs: list[Cost]) -> Cost:
    """Median times, greatest memory, last result."""
    return Cost(
        median(c.wall for c in costs),
        median(c.cpu for c in costs),
        max(c.memory for c in costs),
        costs[-1].result,
    )


def row(size: str, name: str, cost: Cost, floor: Cost, scores: str) -> str:
    """One line of the table."""
    return (
        f"| {size} | {name} | {cost.wall:.2f} s | {cost.wall / floor.wall:.2f} "
        f"| {cost.cpu:.2f} s | {cost.cpu / floor.cpu:.2f} | {cost.memory:.0f} | {scores} |"
    )


HEADER = """\
| size | method | time | ratio | CPU time | ratio | peak MB over inputs | R1 / mAP |
|---|---|---|---|---|---|---|---|"""
