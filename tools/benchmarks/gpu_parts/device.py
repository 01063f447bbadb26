"""The device that is measured. No other file of the suite asks what kind of device it is."""

from __future__ import annotations

import gc
import math
import os
import platform
import statistics
import subprocess
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timezone
from importlib import metadata
from pathlib import Path

import torch
from timing import forget_peak, held_bytes, machine, peak_held_bytes, synchronize

from mmreid_ext.errors import UserError
from mmreid_ext.version import __version__

Step = Callable[[], object]
PACKAGES = ("mmengine", "mmcv", "mmpretrain", "numpy", "triton")
LEAST_SECONDS = 0.02
"""Of one measurement: what takes less is called several times, so that starting it counts little"""


@dataclass(frozen=True)
class Device:
    """Where tensors are, and what waits for it.

    Attributes:
        name: ``'cuda'`` or ``'cpu'``; tests give others.
    """

    name: str

    @property
    def is_cuda(self) -> bool:
        """Whether it is a GPU that PyTorch calls ``cuda`` (AMD's, too)."""
        return self.name == "cuda"

    def require(self) -> None:
        """Check that there is such a device.

        Raises:
            UserError: If PyTorch sees no GPU.
        """
        if self.is_cuda and not torch.cuda.is_available():
            built = "" if torch.version.cuda or torch.version.hip else ", and is built without CUDA"
            raise UserError(
                f"gpu_suite: device=cuda, but PyTorch {torch.__version__} sees no GPU{built}; "
                "give --device cpu --toy to try the suite without one."
            )

    def prepare(self) -> None:
        """Set what a training by our configurations sets; the rest stays as PyTorch has it."""
        torch.backends.cudnn.benchmark = True

    def synchronize(self) -> None:
        """Wait until it has done what was asked of it."""
        synchronize(self.name)

    def count(self) -> int:
        """How many of its kind a process can use; a CPU lends itself to two ranks."""
        return torch.cuda.device_count() if self.is_cuda else 2

    def precisions(self) -> dict[str, dict | None]:
        """Settings of the optimiser's wrapper, by type; None: the type can't be trained here."""
        if self.name == "cpu":
            half = dict(type="mmreid_ext.BFloat16OptimWrapper", device_type=self.name)
            return {"float32": {}, "bfloat16": half, "float16": None}
        native = not self.is_cuda or torch.cuda.get_device_capability()[0] >= 8  # Ampere
        amp = {
            dtype: dict(type="AmpOptimWrapper", dtype=dtype) for dtype in ("bfloat16", "float16")
        }
        return {"float32": {}, **amp, **({} if native else {"bfloat16": None})}

    def release(self) -> None:
        """Give freed memory back."""
        gc.collect()
        if self.is_cuda:
            torch.cuda.empty_cache()

    def forget_compiled(self) -> None:
        """Begin anew: after eight variants of a function PyTorch compiles no more."""
        torch.compiler.reset()

    def seconds(
        self, steps: Mapping[str, Step], rounds: int = 5, least: float = LEAST_SECONDS
    ) -> dict[str, float]:
        """Return the median seconds of every step.

        Two calls come first, and count for nothing. In each round every step runs in its turn, as
        often as takes ``least`` seconds.
        """
        counts = {}
        for name, step in steps.items():
            step()
            counts[name] = max(1, math.ceil(least / max(self.once(step), 1e-6)))
        times: dict[str, list[float]] = {name: [] for name in steps}
        for _ in range(rounds):
            for name, step in steps.items():
                times[name].append(self.once(step, counts[name]))
        return {name: statistics.median(values) for name, values in times.items()}

    def once(self, step: Step, count: int = 1) -> float:
        """Return the seconds of one call, without any before it."""
        self.synchronize()
        start = time.perf_counter()
        for _ in range(count):
            step()
        self.synchronize()
        return (time.perf_counter() - start) / count

    def held(self) -> int:
        """Bytes that are held now."""
        gc.collect()
        return held_bytes(self.name)

    def peak_of(self, step: Step) -> int:
        """Most bytes that are held at a time during a step, with all that was held before."""
        gc.collect()
        forget_peak(self.name)
        step()
        return peak_held_bytes(self.name)

    def describe(self) -> dict[str, str]:
        """Name the device, its driver, the versions and the date."""
        facts = {"device": machine(self.name).split(", ")[0]}
        if self.is_cuda:
            facts |= _of_gpu()
        facts["processor"] = machine("cpu").split(", ")[0]
        facts["cores"] = str(cores())
        facts["Python"] = platform.python_version()
        facts["torch"] = torch.__version__
        for package in PACKAGES:
            facts[package] = _version_of(package)
        facts["mmreid_ext"] = __version__
        facts["date"] = datetime.now(timezone.utc).strftime("%Y-%m-%d")
        return facts


def cores() -> int:
    """Cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _version_of(package: str) -> str:
    """Ask for the version without importing; several distributions give the same module."""
    for name in (package, f"{package}-lite", f"onedl-{package}"):
        try:
            return metadata.version(name)
        except metadata.PackageNotFoundError:
            continue
    return "-"


def _of_gpu() -> dict[str, str]:
    about = torch.cuda.get_device_properties(0)
    return {
        "GPUs": str(torch.cuda.device_count()),
        "memory": f"{about.total_memory / 1e9:.1f} GB",
        "capability": f"{about.major}.{about.minor}",
        "driver": _driver(),
        "CUDA": str(torch.version.cuda or torch.version.hip),
        "cuDNN": str(torch.backends.cudnn.version()),
        "TF32": f"convolutions {torch.backends.cudnn.allow_tf32}, "
        f"products {torch.backends.cuda.matmul.allow_tf32}",
    }


def _driver() -> str:
    """Ask the driver's own tool, then the kernel module."""
    command = ["nvidia-smi", "--query-gpu=driver_version", "--format=csv,noheader"]
    try:
        answer = subprocess.run(command, capture_output=True, text=True, timeout=20, check=True)
        return answer.stdout.splitlines()[0].strip()
    except (OSError, subprocess.SubprocessError, IndexError):
        version = Path("/proc/driver/nvidia/version")
        return version.read_text().splitlines()[0] if version.exists() else "unknown"
