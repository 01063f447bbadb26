"""Tell the checkpoints that a run has written from all other files: only those are ever removed.

The paths of the best files are in every checkpoint. A copied work folder brings along those of the
original, and a stranger's file brings any path.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable
from typing import Any

from mmengine.hooks import CheckpointHook
from mmengine.runner import Runner

BESIDE = "iter_{}.pth"
"""Name of a checkpoint that was asked for in a run that counts epochs."""


def is_beside(name: str) -> bool:
    """Whether a name is that of a checkpoint that was asked for."""
    return re.fullmatch(re.escape(BESIDE).replace(r"\{\}", r"\d+"), name) is not None


def is_own_file(hook: CheckpointHook, folder: str, path: str) -> bool:
    """Whether a path is that of a checkpoint which this hook writes into its folder.

    Args:
        hook: The hook.
        folder: Where it writes, see :func:`folder_of`.
        path: The path, as the hook or a checkpoint has it.
    """
    parent, name = os.path.split(path)
    if "://" in folder or "://" in path:
        return parent == folder.rstrip("/") and has_own_name(hook, name)
    same = os.path.realpath(parent or os.curdir) == os.path.realpath(folder)
    return same and has_own_name(hook, name)


def has_own_name(hook: CheckpointHook, name: str) -> bool:
    """Whether a name is one that the hook gives: ``iter_12.pth``, ``best_score_iter_12.pth``."""
    names = [name]
    for metric in getattr(hook, "key_indicators", None) or ():
        if metric == "auto":  # the first metric of a validation, which isn't known before
            parts = name.removeprefix("best_").split("_")
            names += ["_".join(parts[i:]) for i in range(1, len(parts)) if name.startswith("best_")]
        else:
            beginning = f"best_{metric}_".replace("/", "_")
            if name.startswith(beginning):
                names.append(name.removeprefix(beginning))
    template = hook.filename_tmpl.replace("/", "_")
    return any(template.format(n) == one for one in names for n in _numbers(one))


def _numbers(name: str) -> list[int]:
    return [0, *map(int, re.findall(r"\d+", name))]


def folder_of(hook: CheckpointHook, runner: Runner) -> str:
    """Return where a hook will write, which it decides when training begins."""
    out_dir = str(hook.out_dir or runner.work_dir)
    if out_dir == runner.work_dir:
        return out_dir
    return os.path.join(out_dir, os.path.basename(runner.work_dir.rstrip(os.sep)))


class OwnFilesOnly:
    """A file backend that notes what to remove, and passes over what the hook didn't write.

    Args:
        backend: The hook's own backend.
        hook: The hook.
        note: Gets the path of each file that MMEngine removes.
    """

    def __init__(self, backend: Any, hook: CheckpointHook, note: Callable[[str], None]) -> None:
        self.backend, self.hook, self.note = backend, hook, note

    def __getattr__(self, name: str) -> Any:
        return getattr(self.backend, name)

    def remove(self, path: str) -> None:
        """Note a file."""
        if is_own_file(self.hook, str(self.hook.out_dir), str(path)):
            self.note(str(path))

    def isfile(self, path: str) -> bool:
        """Whether it is a file of the run: MMEngine asks before it removes one."""
        own = is_own_file(self.hook, str(self.hook.out_dir), str(path))
        return own and self.backend.isfile(path)

    def isdir(self, path: str) -> bool:
        """Never: MMEngine asks before it removes a folder, and no run of ours writes one."""
        return False

    def rmtree(self, path: str) -> None:
        """Remove nothing."""
