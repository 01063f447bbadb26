"""Let a run that was started again by its launcher go on where the last attempt ended."""

from __future__ import annotations

import os
from argparse import Namespace
from pathlib import Path

from mmreid_ext.stopping.attempts import elastic_restarts, note_beginning, restarts_before


def resume_after_restart(args: Namespace, work_dir: str) -> str:
    """Set ``args.resume`` for another attempt of a run, and return what to tell the user.

    The first attempt does what its arguments say. A further one goes on from the newest checkpoint
    of this run, without being told; if there is none, it does the same as the first one.

    Args:
        args: Arguments of the tool, with ``resume``.
        work_dir: Folder of the run.

    Returns:
        A sentence, empty for the first attempt.
    """
    number = restarts_before()
    if number == 0:
        return ""
    newest = newest_of_run(Path(work_dir), args.resume)
    beginning = f"restart {number}: "
    if newest is not None:
        args.resume = "auto"
        return f"{beginning}the run goes on from the last checkpoint in {work_dir}"
    if args.resume in (None, "auto"):
        args.resume = None
        return f"{beginning}no checkpoint had been written, the run starts from the beginning"
    return f"{beginning}no checkpoint had been written, the run goes on from {args.resume} again"


def newest_of_run(work_dir: Path, resumed: str | None) -> Path | None:
    """Return the newest checkpoint that an earlier attempt of this run has written, if any.

    Args:
        work_dir: Folder of the run.
        resumed: What the first attempt was told to resume: a file, ``'auto'`` or None. A file may
            be older than others in the folder; then only what the attempts have written counts.
    """
    from mmreid_ext.checkpoint.resume.latest import POINTER, resumable_files

    after = 0.0
    if resumed not in (None, "auto"):
        after = os.path.getmtime(resumed) if os.path.isfile(resumed) else 0.0
        if elastic_restarts():
            after = max(after, note_beginning())
    files = [work_dir / POINTER, *resumable_files([work_dir])]
    return next((p for p in files if p.is_file() and p.stat().st_mtime > after), None)
