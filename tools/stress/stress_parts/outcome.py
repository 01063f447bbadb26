"""What became of runs that were killed, and the table of it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

from . import report
from .names import KINDS


@dataclass
class Outcome:
    """What became of one run.

    Attributes:
        recipe, ranks, workers: The run.
        kills: Kind and place of each kill, for instance ``("rank", 5)`` after iteration 5.
        problems: What was lost, differs or was left; empty for a run as it should be.
        waits: Seconds until the other ranks had ended, for each kill of a part.
        repeated: Iterations that were computed again.
        reached: The furthest iteration of all attempts.
    """

    recipe: str
    ranks: int
    workers: int
    kills: list[tuple[str, int]] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)
    waits: list[float] = field(default_factory=list)
    repeated: int = 0
    reached: int = 0

    @property
    def name(self) -> str:
        """What the run was."""
        return f"{self.recipe}, {self.ranks} ranks, {self.workers} loaders, {self.kills}"


def markdown(outcomes: Sequence[Outcome]) -> str:
    """Write what was killed and what became of it as a table, a row for each recipe."""
    rows = []
    for recipe, ranks in sorted({(one.recipe, one.ranks) for one in outcomes}):
        some = [one for one in outcomes if (one.recipe, one.ranks) == (recipe, ranks)]
        kinds = Counter(kind for one in some for kind, _ in one.kills)
        named = ", ".join(f"{kind} {kinds[kind]}" for kind in KINDS if kinds[kind])
        waits = [wait for one in some for wait in one.waits]
        rows.append(
            (
                recipe,
                ranks,
                len(some),
                f"{kinds.total()} ({named})",
                sum(one.repeated for one in some),
                f"{max(waits):.1f} s" if waits else "",
                sum(not one.problems for one in some),
            )
        )
    total = sum(len(one.kills) for one in outcomes)
    equal_runs = sum(not one.problems for one in outcomes)
    header = (
        "recipe",
        "ranks",
        "runs",
        "kills",
        "iterations again",
        "longest wait",
        "equal",
    )
    summary = f"{total} kills, {len(outcomes)} runs, {equal_runs} ended as the undisturbed ones."
    return f"{report.table(header, rows)}\n\n{summary}"
