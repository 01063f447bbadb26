"""Remember the files that a run has yet to remove, so that a crash leaves none behind.

Each checkpoint tells what becomes superfluous with it. A resumed run removes what is left of that.
"""

from __future__ import annotations

import os

from mmengine.hooks import CheckpointHook
from mmengine.runner import Runner

from mmreid_ext.checkpoint.resume.own_files import has_own_name, is_beside, is_own_file

KEY = "superfluous_ckpts"
"""Names, in the message hub's ``runtime_info``."""


def note_superfluous(runner: Runner, path: str) -> None:
    """Let the next checkpoint tell that a file is superfluous once it is written itself."""
    name, names = os.path.basename(path), _names(runner)
    if name not in names:
        runner.message_hub.update_info(KEY, [*names, name])


def still_superfluous(hook: CheckpointHook, runner: Runner) -> list[str]:
    """Paths of a hook's own files that earlier saves have left."""
    folder = str(hook.out_dir)
    if "://" in folder:
        return []
    paths = [os.path.join(folder, name) for name in _names(runner)]
    return [path for path in paths if _is_own(hook, path) and os.path.isfile(path)]


def forget_removed(hook: CheckpointHook, runner: Runner) -> None:
    """Let the list hold what is still there."""
    if _names(runner):
        left = [os.path.basename(path) for path in still_superfluous(hook, runner)]
        runner.message_hub.update_info(KEY, left)


def _names(runner: Runner) -> list[str]:
    return list(runner.message_hub.get_info(KEY, []))


def _is_own(hook: CheckpointHook, path: str) -> bool:
    name = os.path.basename(path)
    return (
        is_beside(name) or is_own_file(hook, str(hook.out_dir), path) and has_own_name(hook, name)
    )
