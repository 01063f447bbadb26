"""Train and test runs, some at a time, and go on where an earlier call stopped."""

from __future__ import annotations

import queue
import shlex
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, as_completed
from pathlib import Path

from mmreid_ext.errors import UserError
from mmreid_ext.evaluation.results.seed_runs import write_request

from .places import Place
from .plan import Run
from .processes import Processes

OUTPUT = "output.txt"
"""File in a run's folder for what it would write on the terminal, were it alone."""

_SHOWN_OF_FAILED = 6
"""Last lines of a failed run's output that are shown."""


def do_runs(
    runs: Sequence[Run],
    places: Sequence[Place],
    keep_going: bool,
    say: Callable[[str], None],
) -> dict[str, str]:
    """Train and test all runs, as many at a time as there are places.

    A run with a results file is not repeated. One with a checkpoint is resumed.

    Args:
        runs: In the order in which they begin.
        places: Where they work. With more than one, each run writes into its :data:`OUTPUT`.
        keep_going: Whether the others are done if one fails.
        say: Shows a line; called by this thread and those of the runs.

    Returns:
        What went wrong, by the title of the run.

    Raises:
        UserError: If a run fails and ``keep_going`` is false.
        KeyboardInterrupt: After the running ones were interrupted and have ended.
    """
    waiting = [run for run in runs if not run.results.is_file()]
    for run in runs:
        if run not in waiting:
            say(f"{run.title}: {run.results} exists, not repeated")
    processes = Processes(own_output=len(places) > 1)
    with ThreadPoolExecutor(len(places)) as pool:
        futures = _begin(pool, waiting, places, processes, say)
        try:
            return _collect(futures, keep_going, say)
        except BaseException as error:
            pool.shutdown(wait=False, cancel_futures=True)
            processes.end()
            if isinstance(error, KeyboardInterrupt):
                text = "interrupted; the same command goes on where it stopped"
                raise KeyboardInterrupt(text) from None
            raise


def _begin(
    pool: ThreadPoolExecutor,
    runs: Sequence[Run],
    places: Sequence[Place],
    processes: Processes,
    say: Callable[[str], None],
) -> dict[Future[str], Run]:
    """Hand the runs to threads, each of which takes a free place."""
    free: queue.SimpleQueue[Place] = queue.SimpleQueue()
    for place in places:
        free.put(place)

    def work(run: Run) -> str:
        place = free.get()
        try:
            return _do_run(run, place, processes, say)
        finally:
            free.put(place)

    return {pool.submit(work, run): run for run in runs}


def _collect(
    futures: Mapping[Future[str], Run], keep_going: bool, say: Callable[[str], None]
) -> dict[str, str]:
    """Wait for the runs, say how each ended, and return what went wrong by title."""
    failed: dict[str, str] = {}
    for number, future in enumerate(as_completed(futures), 1):
        run, problem = futures[future], _outcome(future)
        if problem and not keep_going:
            raise UserError(problem)
        if problem:
            failed[run.title] = problem
        what = f"failed; {problem}" if problem else "done"
        say(f"[{number}/{len(futures)}] {run.title}: {what}")
    return failed


def _outcome(future: Future[str]) -> str:
    try:
        return future.result()
    except UserError as error:
        return str(error)


def _do_run(run: Run, place: Place, processes: Processes, say: Callable[[str], None]) -> str:
    """Train and test a run; return what went wrong, or nothing."""
    write_request(run.folder, run.request)
    output = run.folder / OUTPUT
    where = f" (its output: {output})" if processes.own_output else ""
    say(f"{run.title}: training{where}")
    for command in (run.train, run.test):
        words = command()
        status = processes.call(words, place, output)
        if status:
            see = f"{output} ends with\n{_end_of(output)}" if where else "see above."
            return f"{shlex.join(words)} ended with status {status}; {see}"
    return ""


def _end_of(path: Path) -> str:
    lines = path.read_text(encoding="utf-8", errors="replace").replace("\r", "\n").split("\n")
    return "\n".join(f"  {line}" for line in [x for x in lines if x.strip()][-_SHOWN_OF_FAILED:])
