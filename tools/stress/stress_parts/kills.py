"""Runs that are killed at random moments, resumed, and compared with undisturbed ones."""

from __future__ import annotations

import itertools
import os
import random
import shutil
import signal
import time
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from mmreid_ext.errors import STOPPED_ON_REQUEST

from . import equal
from .outcome import Outcome
from .recipes import configuration
from .remains import Remains, children_of, processes_of
from .runs import Ranks
from .saved import due_after, good, saved

PATIENCE = 60.0
"""Seconds that the other ranks have to end by themselves."""


class Killing:
    """Make runs, kill them, compare them.

    Args:
        folder: Where the runs are made. Runs that end as they should are deleted.
        people: Pictures, see :func:`~stress_parts.recipes.draw_people`.
        seed: Says which runs and moments are drawn. The moments vary with the load of the machine.
        iters: Iterations of a run.
        save_every: Iterations between two checkpoints.
        checkpoint: More settings of the checkpoint hook.
    """

    def __init__(
        self,
        folder: Path,
        people: Path,
        seed: int = 0,
        iters: int = 8,
        save_every: int = 2,
        checkpoint: dict | None = None,
    ) -> None:
        self.folder, self.people, self.random = folder, people, random.Random(seed)
        self.iters, self.save_every = iters, save_every
        self.checkpoint = checkpoint or {}
        self._expected: dict[tuple[str, int], tuple[Path, float, float]] = {}
        self._number = 0

    def many(
        self,
        number: int,
        recipes: Sequence[str],
        ranks: Sequence[int],
        kinds: Sequence[str],
        minutes: float | None = None,
    ) -> list[Outcome]:
        """Kill runs, one to three times each, until there were enough kills or the time is over.

        Args:
            number: Kills that came to pass: runs that ended before theirs don't count.
            recipes: What is killed, in turn.
            ranks: Their numbers of ranks, in turn.
            kinds: Who is killed is drawn from these.
            minutes: No run begins afterwards.
        """
        end = None if minutes is None else time.monotonic() + 60 * minutes
        outcomes: list[Outcome] = []
        turns = itertools.cycle(itertools.product(recipes, ranks))
        while (done := sum(len(one.kills) for one in outcomes)) < number:
            if end is not None and time.monotonic() > end:
                break
            several = self.random.choices(kinds, k=min(self.random.randint(1, 3), number - done))
            outcomes.append(self.run(*next(turns), several))
        return outcomes

    def run(
        self, recipe: str, ranks: int, kinds: Sequence[str], after: Sequence[int] = ()
    ) -> Outcome:
        """Kill a run once for each of the kinds, let it end, and compare it.

        Args:
            recipe: A name of :data:`~stress_parts.recipes.RECIPES`.
            ranks: Number of ranks.
            kinds: Who is killed, attempt by attempt.
            after: Finished iterations right before each kill. Moments are drawn by default.
        """
        expected, start, step = self._undisturbed(recipe, ranks)
        workers = 1 if "worker" in kinds else self.random.randrange(2)
        outcome = Outcome(recipe, ranks, workers)
        self._number += 1
        work_dir = self.folder / str(self._number) / recipe
        work_dir.parent.mkdir()
        remains = Remains(work_dir.parent / "temporary")
        sessions: list[int] = []
        moments = after or [self.random.randrange(self.iters) for _ in kinds]
        for kind, moment in zip(kinds, moments, strict=True):
            delay = 0 if after else self.random.uniform(0, 1.2 * (step if moment else start))
            attempt = self._start(outcome, work_dir, sessions)
            self._kill(outcome, attempt, kind, moment, delay)
            self._check(outcome, work_dir, attempt)
        attempt = self._start(outcome, work_dir, sessions)
        codes = attempt.finish()
        self._check(outcome, work_dir, attempt)
        if any(codes):
            outcome.problems.append(f"the resumed run ended with {codes}: {attempt.said()}")
        else:
            outcome.problems += equal.differences(work_dir, expected)
        outcome.problems += [f"{one} was left" for one in remains.left(sessions)]
        if not outcome.problems:
            shutil.rmtree(work_dir.parent)
        return outcome

    def _undisturbed(self, recipe: str, ranks: int) -> tuple[Path, float, float]:
        """Return the folder of an undisturbed run, and seconds of its start and of an iteration."""
        if (recipe, ranks) not in self._expected:
            work_dir = self.folder / f"undisturbed_{ranks}" / recipe
            work_dir.parent.mkdir(exist_ok=True)
            began = time.monotonic()
            one = Ranks(self._settings(recipe, work_dir, 0), ranks)
            one.follow(1)
            start = time.monotonic() - began
            codes = one.finish()
            if any(codes):
                raise RuntimeError(f"the undisturbed run ended with {codes}: {one.said()}")
            step = (time.monotonic() - began - start) / (self.iters - 1)
            self._expected[recipe, ranks] = (work_dir, start, step)
        return self._expected[recipe, ranks]

    def _settings(self, recipe: str, work_dir: Path, workers: int):
        return configuration(
            recipe,
            self.people,
            work_dir,
            iters=self.iters,
            save_every=self.save_every,
            workers=workers,
            **self.checkpoint,
        )

    def _start(self, outcome: Outcome, work_dir: Path, sessions: list[int]) -> Ranks:
        settings = self._settings(outcome.recipe, work_dir, outcome.workers)
        one = Ranks(settings, outcome.ranks, resume=bool(saved(work_dir)))
        sessions += one.sessions
        return one

    def _kill(self, outcome: Outcome, attempt: Ranks, kind: str, after: int, delay: float) -> None:
        if after:
            attempt.follow(after)
        attempt.follow(seconds=delay)
        victims = self._victims(attempt, kind)
        if not victims:  # it was over before
            attempt.finish()
            return
        for pid in victims:
            _send(pid, signal.SIGTERM if kind == "stop" else signal.SIGKILL)
        began = time.monotonic()
        outcome.kills.append((kind, attempt.iteration or 0))
        if kind in ("rank", "worker", "stop"):
            if attempt.follow(seconds=PATIENCE):
                outcome.waits.append(time.monotonic() - began)
            else:
                outcome.problems.append(f"{kind}: the other ranks waited for {PATIENCE:.0f} s")
        codes = attempt.end()
        if kind == "stop":
            outcome.problems += _not_stopped(attempt, codes)

    def _victims(self, attempt: Ranks, kind: str) -> list[int]:
        alive = [process.pid for process in attempt.alive()]
        if not alive or kind == "all":
            return alive
        if kind == "machine":
            return [pid for pid, _ in processes_of(attempt.sessions)]
        if kind in ("rank", "stop"):
            return [self.random.choice(alive)]
        workers = [child for pid in alive for child in children_of(pid)]
        return [self.random.choice(workers)] if workers else []

    def _check(self, outcome: Outcome, work_dir: Path, attempt: Ranks) -> None:
        """Nothing that was on disk before an attempt or was written in it may be lost."""
        if attempt.began_at is not None:
            if attempt.began_at < due_after(outcome.reached, self.save_every, self.checkpoint):
                problem = f"began at {attempt.began_at}, had been at {outcome.reached}"
                outcome.problems.append(problem)
            outcome.repeated += max(outcome.reached - attempt.began_at, 0)
        outcome.reached = max(outcome.reached, attempt.iteration or 0)
        due = due_after(outcome.reached, self.save_every, self.checkpoint)
        if max(good(work_dir), default=0) < due:
            outcome.problems.append(f"iteration {due} was over, its checkpoint isn't there")


def _not_stopped(attempt: Ranks, codes: Sequence[int | None]) -> list[str]:
    """All ranks must have stopped together, with a checkpoint of what they had done."""
    if any(code not in (0, STOPPED_ON_REQUEST) for code in codes) or len(set(codes)) > 1:
        return [f"SIGTERM: ended with {codes}: {attempt.said()}"]
    done, newest = attempt.iteration or 0, max(good(attempt.work_dir), default=0)
    return [] if newest >= done else [f"SIGTERM: {done} were done, {newest} are saved"]


def _send(pid: int, number: signal.Signals) -> None:
    with suppress(ProcessLookupError):
        os.kill(pid, number)
