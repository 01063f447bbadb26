"""The folder of temporary files in which ranks report their errors to their launcher.

It goes when the launcher ends. A launcher that was killed leaves it; the next one removes it.
"""

from __future__ import annotations

import os
import re
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from mmreid_ext.errors import UserError
from mmreid_ext.output_files.atomic import folder_lock, process_lives
from mmreid_ext.output_files.loading_folder import remove_unused_folders

_PREFIX = "mmreid_ext_ranks_"
_NAME = re.compile(rf"{_PREFIX}(?P<process>\d+)_\w+")
_ATTEMPTS = 5


@contextmanager
def reports_folder() -> Iterator[str]:
    """Make the folder, after those of killed launchers were removed.

    Its launcher holds it locked: that shows where the launcher's number can't, as in two containers
    that share their temporary files.
    """
    sweep_reports_folders()
    with ExitStack() as stack:
        folder = _make(stack)
        stack.callback(shutil.rmtree, folder, ignore_errors=True)
        yield folder


def sweep_reports_folders() -> list[str]:
    """Remove this user's folders of launchers that have ended, and return their names."""
    if os.name != "posix":
        return []
    folders = sorted(Path(tempfile.gettempdir()).glob(f"{_PREFIX}*"))
    return remove_unused_folders(folder for folder in folders if _is_of_the_dead(folder.name))


def _is_of_the_dead(name: str) -> bool:
    found = _NAME.fullmatch(name)
    return found is not None and not _is_another(int(found["process"]))


def _make(stack: ExitStack) -> str:
    for _ in range(_ATTEMPTS):
        folder = tempfile.mkdtemp(prefix=f"{_PREFIX}{os.getpid()}_")
        try:
            stack.enter_context(folder_lock(folder, wait=False))
        except OSError:  # a launcher of another container was quicker, and removes it
            continue
        return folder
    raise UserError(
        f"The folder of temporary files, {tempfile.gettempdir()}, loses new folders at once: set "
        "TMPDIR to one that keeps them."
    )


def _is_another(process: int) -> bool:
    """Whether a number is a living process's, other than this one, which has no folder yet."""
    return process != os.getpid() and process_lives(process)
