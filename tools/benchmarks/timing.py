"""Time several candidates fairly, measure peak memory and name the machine."""

from __future__ import annotations

import gc
import platform
import statistics
import time
from collections.abc import Callable, Mapping
from pathlib import Path

import torch
from torch import Tensor, nn

Step = Callable[[], object]
CLOCKS = {"wall": time.perf_counter, "cpu": time.process_time}


def synchronize(device: str) -> None:
    """Wait until the device has done what was asked of it."""
    if device.startswith("cuda"):
        torch.cuda.synchronize()


def medians(
    steps: Mapping[str, Step], repeats: int, device: str = "cpu", clock: str = "wall"
) -> dict[str, float]:
    """Median seconds of every step.

    Each round runs every step once, so that a machine that slows down slows all of them; the first
    round is not counted.

    Args:
        steps: Functions by name.
        repeats: Rounds that count.
        device: Waited for before the clock is read.
        clock: ``'wall'``, or ``'cpu'``: seconds of this process, which say something on a machine
            that is shared with others. Meant for one thread.
    """
    now = CLOCKS[clock]
    times: dict[str, list[float]] = {name: [] for name in steps}
    for round_ in range(repeats + 1):
        for name, step in steps.items():
            synchronize(device)
            start = now()
            step()
            synchronize(device)
            if round_:
                times[name].append(now() - start)
    return {name: statistics.median(values) for name, values in times.items()}


def kept_for_backward(forward: Callable[[], Tensor], model: nn.Module | None = None) -> int:
    """Bytes that autograd keeps after ``forward``, without the parameters of ``model``."""
    kept: dict[int, int] = {}

    def note(tensor: Tensor) -> Tensor:
        storage = tensor.untyped_storage()
        kept[storage.data_ptr()] = storage.nbytes()
        return tensor

    with torch.autograd.graph.saved_tensors_hooks(note, lambda tensor: tensor):
        result = forward()
    for parameter in model.parameters() if model is not None else ():
        kept.pop(parameter.untyped_storage().data_ptr(), None)
    del result
    return sum(kept.values())


def peak_bytes(step: Step, device: str = "cpu") -> int:
    """Most bytes that ``step`` holds at a time beyond what was held before."""
    gc.collect()
    before = held_bytes(device)
    if not forget_peak(device):
        return 0
    step()
    return peak_held_bytes(device) - before


def held_bytes(device: str = "cpu") -> int:
    """Bytes of tensors on a GPU; on a CPU the resident memory of the process, 0 but on Linux."""
    if device.startswith("cuda"):
        torch.cuda.synchronize()
        return torch.cuda.memory_allocated()
    return _status("VmRSS")


def forget_peak(device: str = "cpu") -> bool:
    """Let the peak begin at what is held now; return whether that is possible."""
    if device.startswith("cuda"):
        torch.cuda.synchronize()
        torch.cuda.reset_peak_memory_stats()
        return True
    try:
        Path("/proc/self/clear_refs").write_text("5")  # peak := present
    except OSError:
        return False
    return True


def peak_held_bytes(device: str = "cpu") -> int:
    """Most bytes held since :func:`forget_peak`: tensors on a GPU, resident memory on a CPU.

    PyTorch's allocator counts them on a GPU. Linux counts them on a CPU; elsewhere it is 0.
    """
    if device.startswith("cuda"):
        torch.cuda.synchronize()
        return torch.cuda.max_memory_allocated()
    return _status("VmHWM")


def _status(field: str) -> int:
    status = Path("/proc/self/status")
    for line in status.read_text().splitlines() if status.exists() else ():
        if line.startswith(field + ":"):
            return 1024 * int(line.split()[1])
    return 0


def how(repeats: int, clock: str) -> str:
    """How times were taken, in words."""
    return f"medians of {repeats}, {clock} time"


def machine(device: str = "cpu") -> str:
    """One line: processor or GPU, threads, versions."""
    if device.startswith("cuda"):
        return f"{torch.cuda.get_device_name()}, torch {torch.__version__}"
    name = platform.processor()
    info = Path("/proc/cpuinfo")
    if info.exists():
        for line in info.read_text().splitlines():
            if line.startswith("model name"):
                name = line.partition(":")[2].strip()
                break
    return f"{name}, {torch.get_num_threads()} thread(s), torch {torch.__version__}"
