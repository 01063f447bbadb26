"""Make files in a hidden folder and put them in their places: all of them complete, or none."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from pathlib import Path

from mmreid_ext.output_files.atomic import folder_lock

from .plan import ExportPlan

PREFIX = ".export-"
"""Of hidden folders in which exports work."""


@contextmanager
def workplace(plan: ExportPlan) -> Iterator[ExportPlan]:
    """Make a hidden folder beside the final place, and yield the plan of writing there.

    Folders of exports that were killed are removed. After an error nothing is left, nor are folders
    that were made for the plan.
    """
    made = _make(plan.folder)
    try:
        with ExitStack() as held:
            with folder_lock(plan.folder):
                _sweep(plan.folder)
                folder = Path(tempfile.mkdtemp(prefix=PREFIX, dir=plan.folder))
                held.callback(shutil.rmtree, folder, ignore_errors=True)
                held.enter_context(folder_lock(folder))
            yield replace(plan, folder=folder)
    except BaseException:
        for one in made:
            try:
                one.rmdir()
            except OSError:  # something is in it
                break
        raise


def put_in_place(
    place: ExportPlan,
    plan: ExportPlan,
    models: Sequence[str],
    beside: Mapping[str, Mapping[str, bytes]],
) -> dict[str, list[Path]]:
    """Move finished files to where they belong.

    Whatever can fail for want of space is done before the first move. Old files that are replaced
    go away in front of the new ones, the description first, so that a power cut leaves no model
    with the weights or the description of another one.

    Args:
        place: Where the model files are.
        plan: Where they belong.
        models: Formats.
        beside: For each format, the content of files beside the model by their names.

    Returns:
        The files of each format.

    Raises:
        ExistingFileError: If another export was quicker.
    """
    files: dict[str, list[Path]] = {}
    for kind in models:
        for name, content in beside[kind].items():
            (place.folder / name).write_bytes(content)
        names = [*(file.name for file in place.model_files(kind)), *beside[kind]]
        for name in names:
            _to_disk(place.folder / name)
        files[kind] = [plan.folder / name for name in names]
    with folder_lock(plan.folder):
        plan.require_free()
        for ours in files.values():
            for file in reversed(ours):
                file.unlink(missing_ok=True)
            for file in ours:
                os.replace(place.folder / file.name, file)
    return files


def _make(folder: Path) -> list[Path]:
    """Make a folder and return those that were missing, the innermost first."""
    missing = [one for one in (folder, *folder.parents) if not one.exists()]
    folder.mkdir(parents=True, exist_ok=True)
    return missing


def _sweep(folder: Path) -> None:
    """Remove the folders of exports that live no more; the others hold theirs."""
    if os.name != "posix":  # nothing is held there
        return
    for left in folder.glob(f"{PREFIX}*"):
        try:
            with folder_lock(left, wait=False):
                shutil.rmtree(left, ignore_errors=True)
        except OSError:  # it is held, gone, or not ours
            continue


def _to_disk(file: Path) -> None:
    with file.open("rb") as opened:
        os.fsync(opened.fileno())
