"""Long runs whose process is looked at again and again: nothing may grow."""

from __future__ import annotations

import ctypes
import gc
import json
import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from mmengine.hooks import Hook
from mmengine.runner import Runner

from . import report
from .recipes import configuration
from .remains import Remains, children_of, descriptors, shared_memory
from .runs import Ranks

SAMPLES = 40
"""Looks at a run; the first quarter is its warm-up."""

COUNTED = ("descriptors", "processes", "threads", "shared", "files")

MORE = dict(memory=4.0, loaders_memory=4.0, objects=1000)
"""What the last quarter may hold more than the second: MB, and objects that Python can count."""


@dataclass
class Soak:
    """What a long run held.

    Attributes:
        recipe: The run.
        iters: Its length.
        samples: What each look found, in order; memory in MB.
        problems: What grew, or was left at the end.
    """

    recipe: str
    iters: int
    samples: list[dict[str, float]]
    problems: list[str] = field(default_factory=list)


class Look(Hook):
    """Write what this process and its loaders hold, at regular iterations.

    Args:
        file: A line of JSON is added for each look.
        temporary: Folder of temporary files.
        every: Iterations between two looks.
    """

    def __init__(self, file: Path, temporary: Path, every: int) -> None:
        self.file, self.temporary, self.every = file, temporary, every

    def after_train_iter(self, runner: Runner, batch_idx: int, *_: object, **__: object) -> None:
        """Look, if it is time."""
        if (runner.iter + 1) % self.every == 0:
            with open(self.file, "a") as file:
                print(json.dumps(held(Path(runner.work_dir), self.temporary)), file=file)


def held(work_dir: Path, temporary: Path) -> dict[str, float]:
    """Return what this process holds: memory in MB, numbers of all else."""
    gc.collect()
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
    if trim is not None:
        trim(0)
    children = children_of(os.getpid())
    return dict(
        objects=len(gc.get_objects()),
        memory=memory_of("self"),
        loaders_memory=sum(memory_of(child) for child in children),
        descriptors=len(descriptors()),
        processes=len(children),
        threads=len(os.listdir("/proc/self/task")),
        shared=len(shared_memory()),
        files=len(list(temporary.iterdir())) + sum(path.is_file() for path in work_dir.iterdir()),
    )


def memory_of(pid: int | str) -> float:
    """Return the memory of a process in MB, with what it shares since it was forked."""
    try:
        pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    except OSError:  # it has gone meanwhile
        return 0.0
    return pages * os.sysconf("SC_PAGE_SIZE") / 2**20


def growth(samples: Sequence[dict[str, float]]) -> list[str]:
    """Compare the end of a run with its beginning, after the warm-up.

    Args:
        samples: Looks at the run, in order.

    Returns:
        A line for each thing that has grown.
    """
    quarter = len(samples) // 4
    early, middle, late = (
        samples[quarter : 2 * quarter],
        samples[quarter:-quarter],
        samples[-quarter:],
    )
    found = []
    for name, more in MORE.items():
        # The least: some looks find a checkpoint's memory that the allocator still keeps.
        before, after = (min(one[name] for one in some) for some in (early, late))
        if after > before + more:
            found.append(f"{name} grew from {before:,.1f} to {after:,.1f}")
    for name in COUNTED:
        before, after = (max(one[name] for one in some) for some in (middle, late))
        if after > before:
            found.append(f"{name} grew from {before:.0f} to {after:.0f}")
    return found


def soak(
    recipe: str,
    folder: Path,
    people: Path,
    iters: int,
    checkpoint: dict | None = None,
    spoil: Callable[[Runner], None] | None = None,
) -> Soak:
    """Train, look, and say what grew.

    Args:
        recipe: A name of :data:`~stress_parts.recipes.RECIPES`.
        folder: Where the run is made; it is made.
        people: Pictures.
        iters: Length of the run. It validates and saves 20 and 40 times.
        checkpoint: More settings of the checkpoint hook.
        spoil: Called with the runner before the training; tests let it leak.

    Raises:
        RuntimeError: If the training fails.
    """
    folder.mkdir()
    work_dir, file = folder / recipe, folder / "looks.jsonl"
    cfg = configuration(
        recipe,
        people,
        work_dir,
        iters=iters,
        save_every=max(iters // 40, 1),
        validate_every=max(iters // 20, 2),
        workers=1,
        **(checkpoint or {}),
    )
    remains = Remains(folder / "temporary")

    def prepared(rank: int, runner: Runner) -> None:
        look = Look(file, folder / "temporary", max(iters // SAMPLES, 1))
        runner.register_hook(look, priority="LOWEST")
        if spoil is not None:
            spoil(runner)

    ranks = Ranks(cfg, prepared=prepared)
    sessions = ranks.sessions
    codes = ranks.finish(seconds=60 + 2.0 * iters)
    if any(codes):
        raise RuntimeError(f"the run ended with {codes}: {ranks.said()}")
    samples = [json.loads(line) for line in file.read_text().splitlines()]
    left = [f"{one} was left" for one in remains.left(sessions)]
    return Soak(recipe, iters, samples, growth(samples) + left)


def markdown(soaks: Sequence[Soak]) -> str:
    """Write what the runs held at the end of their first quarter and at their ends."""
    names = (*MORE, *COUNTED)
    rows = []
    for one in soaks:
        first, last = one.samples[len(one.samples) // 4], one.samples[-1]
        values = [f"{first[name]:.5g} → {last[name]:.5g}" for name in names]
        rows.append((one.recipe, one.iters, *values, "no" if not one.problems else "yes"))
    header = ("recipe", "iterations", "memory MB", "loaders MB", "objects", *COUNTED, "grew")
    return report.table(header, rows)
