"""Runs that die at every place where a checkpoint's files change, resumed and compared."""

from __future__ import annotations

import math
import re
import shutil
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from mmengine.config import Config
from mmengine.runner import Runner

from . import equal, report
from .points import DIED, Points
from .recipes import configuration
from .remains import Remains
from .runs import Ranks
from .saved import due_after, good

SAVE_EVERY = 2


@dataclass
class Crash:
    """What became of a run that died at one place.

    Attributes:
        number: Of the place, from 1.
        place: What the process was about to do.
        problems: What was lost, differs or was left.
    """

    number: int
    place: str
    problems: list[str] = field(default_factory=list)


class Crashing:
    """Let one run die at its places.

    Args:
        recipe: A name of :data:`~stress_parts.recipes.RECIPES`.
        ranks: Number of ranks; rank 0, which writes, dies.
        folder: Where the runs are made; it is made.
        people: Pictures.
        iters: Iterations of the run.
        checkpoint: More settings of the checkpoint hook.
    """

    def __init__(
        self,
        recipe: str,
        ranks: int,
        folder: Path,
        people: Path,
        iters: int = 6,
        checkpoint: dict | None = None,
    ) -> None:
        self.recipe, self.ranks, self.folder, self.people = recipe, ranks, folder, people
        self.iters, self.checkpoint = iters, checkpoint or {}
        self.expected = folder / "undisturbed" / recipe
        self.places = self._count()

    def _count(self) -> list[str]:
        """Run undisturbed and return the places in their order."""
        self.expected.parent.mkdir(parents=True)
        names = self.expected.with_name("places.txt")
        one = self._start(self.expected, names=names)
        codes = one.finish()
        if any(codes):
            raise RuntimeError(f"the undisturbed run ended with {codes}: {one.said()}")
        return [_plain(name) for name in names.read_text().splitlines()]

    def unsynced(self) -> list[str]:
        """Return renames of files that hadn't reached the disk: a power cut would empty them."""
        found = []
        for number, place in enumerate(self.places):
            kind, _, name = place.partition(" ")
            before = [one for one in self.places[:number] if name in one]
            if kind == "rename" and not (before and before[-1].startswith("fsync")):
                found.append(place)
        return found

    def all(
        self, first: int = 1, every: int = 1, end: float = math.inf
    ) -> tuple[list[Crash], int | None]:
        """Die at every place, or at every N-th.

        Args:
            first: Number of the first place, from 1.
            every: Take every N-th from there.
            end: When to let no further run die, as ``time.monotonic()`` says.

        Returns:
            What became of the runs, and the number of the first place that there was no time for.
        """
        found: list[Crash] = []
        for number in range(first, len(self.places) + 1, every):
            if found and time.monotonic() > end:
                return found, number
            found.append(self.die(number))
        return found, None

    def die(self, number: int) -> Crash:
        """Die at a place, numbered from 1, resume, compare."""
        crash = Crash(number, self.places[number - 1])
        work_dir = self.folder / str(number) / self.recipe
        work_dir.parent.mkdir()
        remains = Remains(work_dir.parent / "temporary")
        names = work_dir.with_name("places.txt")
        first = self._start(work_dir, number, names)
        codes = first.finish()
        if codes[0] != DIED:
            crash.problems.append(f"rank 0 ended with {codes[0]}, not at the place")
        before = good(work_dir)
        due = due_after(first.iteration or 0, SAVE_EVERY, self.checkpoint)
        if max(before, default=0) < due:
            crash.problems.append(f"iteration {due} was over, its checkpoint isn't there")
        second = self._start(work_dir, resume=bool(before))
        codes = second.finish()
        if any(codes):
            crash.problems.append(f"the resumed run ended with {codes}: {second.said()}")
        else:
            if (second.began_at or 0) < due:
                crash.problems.append(f"went on from {second.began_at} instead of {due}")
            crash.problems += equal.differences(work_dir, self.expected)
        left = remains.left([*first.sessions, *second.sessions])
        crash.problems += [f"{one} was left" for one in left]
        if not crash.problems:
            shutil.rmtree(work_dir.parent)
        return crash

    def _start(
        self,
        work_dir: Path,
        die_at: int | None = None,
        names: Path | None = None,
        resume: bool = False,
    ) -> Ranks:
        prepared = None if names is None else _watching(work_dir, die_at, names)
        return Ranks(self._settings(work_dir), self.ranks, resume, prepared)

    def _settings(self, work_dir: Path) -> Config:
        return configuration(
            self.recipe,
            self.people,
            work_dir,
            iters=self.iters,
            save_every=SAVE_EVERY,
            **self.checkpoint,
        )


def _watching(work_dir: Path, die_at: int | None, names: Path) -> Callable[[int, Runner], None]:
    def watch(rank: int, runner: Runner) -> None:
        if rank == 0:
            file = open(names, "a", buffering=1)  # noqa: SIM115 (to the end of the process)
            Points(work_dir, die_at, lambda name: print(name, file=file))

    return watch


def markdown(found: Mapping[str, Sequence[Crash]]) -> str:
    """Write the places of several runs and what became of them as a table."""
    rows = []
    for name, crashes in found.items():
        kinds = Counter(crash.place.partition(" ")[0] for crash in crashes)
        named = ", ".join(f"{kind} {number}" for kind, number in sorted(kinds.items()))
        right = sum(not crash.problems for crash in crashes)
        rows.append((name, f"{len(crashes)} ({named})", right))
    return report.table(("run", "places", "equal"), rows)


def _plain(place: str) -> str:
    """A place without the number of the process."""
    return re.sub(r"\.\d+\.tmp", ".tmp", place)
