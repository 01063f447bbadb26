"""Where the host waits for the device during a step."""

from __future__ import annotations

import re
import warnings
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import torch
from torch.profiler import ProfilerActivity, profile

from .device import Device

_WAITING = re.compile(r"(cuda|hip)(StreamSynchronize|EventSynchronize|Memcpy)")
_CALLS = re.compile(r"(cuda|hip|cu)[A-Z]\w*")
_READING = "aten::_local_scalar_dense"
_MODE = "called a synchronizing CUDA operation"


def count_waits(device: Device, step: Callable[[], object]) -> tuple[int | None, dict[str, int]]:
    """Profile one step.

    The profiler itself waits for the device at its end (cudaDeviceSynchronize), so that call is
    not counted.

    Returns:
        How often the host waited (on a CPU: how often a number was read; None: the profiler may
        not look at the device here), and all events that are waits or reads, by name.
    """
    activities = [ProfilerActivity.CPU]
    if device.is_cuda:
        activities.append(ProfilerActivity.CUDA)
    step()
    device.synchronize()
    with profile(activities=activities) as profiler:
        step()
    counts = {event.key: event.count for event in profiler.key_averages()}
    waits = {name: n for name, n in counts.items() if _WAITING.fullmatch(name)}
    reads = {_READING: counts[_READING]} if _READING in counts else {}
    if not device.is_cuda:
        return sum(reads.values()), reads
    sees_calls = any(_CALLS.fullmatch(name) for name in counts)
    return (sum(waits.values()) if sees_calls else None), waits | reads


def places_of_waits(device: Device, step: Callable[[], object]) -> dict[str, int]:
    """Return files and lines that waited during one step, as PyTorch itself tells; CUDA only."""
    if not device.is_cuda:
        return {}
    step()
    device.synchronize()
    before = torch.cuda.get_sync_debug_mode()
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        torch.cuda.set_sync_debug_mode("warn")
        try:
            step()
        finally:
            torch.cuda.set_sync_debug_mode(before)
    found = Counter(
        f"{'/'.join(Path(warning.filename).parts[-2:])}:{warning.lineno}"
        for warning in caught
        if _MODE in str(warning.message)
    )
    return dict(found)
