"""Share out the processors and GPUs of this machine over runs that work side by side."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Place:
    """Where a run works.

    Args:
        cores: Processors that it keeps to; empty for all.
        environment: Variables that its processes get.
    """

    cores: tuple[int, ...] = ()
    environment: Mapping[str, str] = field(default_factory=dict)


def share_out(
    jobs: int, ranks: int, cores: Sequence[int], gpus: Sequence[str], environ: Mapping[str, str]
) -> list[Place]:
    """Return a place for each of the runs that work at the same time.

    A run gets its part of the cores and as many GPUs as it has ranks. If there are fewer than that,
    several runs or ranks share one.

    Args:
        jobs: Number of runs side by side; one alone gets everything.
        ranks: Processes per run.
        cores: Numbers of the processors.
        gpus: Names of the GPUs as CUDA_VISIBLE_DEVICES takes them; empty without any.
        environ: Environment variables; a number of threads that is set there stays.
    """
    if jobs == 1:
        return [Place()]
    places = []
    for job in range(jobs):
        own = tuple(cores[job * len(cores) // jobs : (job + 1) * len(cores) // jobs])
        own = own or (cores[job % len(cores)],)
        variables = {}
        if "OMP_NUM_THREADS" not in environ:
            variables["OMP_NUM_THREADS"] = str(max(1, len(own) // ranks))
        if gpus:
            chosen = dict.fromkeys(gpus[(job * ranks + i) % len(gpus)] for i in range(ranks))
            variables["CUDA_VISIBLE_DEVICES"] = ",".join(chosen)
        places.append(Place(own, variables))
    return places


def available_cores() -> list[int]:
    """Number the processors that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return sorted(os.sched_getaffinity(0))
    return list(range(os.cpu_count() or 1))  # macOS: a process can't be kept to some of them


def available_gpus(environ: Mapping[str, str] = os.environ) -> list[str]:
    """Name the GPUs that this process may use."""
    named = environ.get("CUDA_VISIBLE_DEVICES")
    if named is not None:
        return [name for name in named.split(",") if name and name != "-1"]
    import torch  # heavy; asked for only if several runs work side by side

    return [str(number) for number in range(torch.cuda.device_count())]


def describe(places: Sequence[Place], ranks: int, gpus: Sequence[str]) -> str:
    """Say in a line how the machine is shared out."""
    cores = sorted({len(place.cores) for place in places})
    number = " or ".join(map(str, cores))
    text = f"{len(places)} runs side by side, each on {number} core{'' if number == '1' else 's'}"
    if not gpus:
        return text
    names = ", ".join(place.environment["CUDA_VISIBLE_DEVICES"] for place in places)
    shared = len(places) * ranks > len(gpus)
    return f"{text}; GPUs {names}{' (shared: fewer GPUs than processes)' if shared else ''}"
