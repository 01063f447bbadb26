"""Remove, when a run is resumed, what its last moments have left behind."""

from __future__ import annotations

import os
from collections.abc import Callable
from functools import wraps

from mmengine.hooks import CheckpointHook
from mmengine.logging import print_log
from mmengine.runner import Runner

from mmreid_ext.checkpoint.resume.own_files import folder_of, is_own_file
from mmreid_ext.distributed import is_main

from .one_save import remove_if_possible
from .superfluous import KEY, forget_removed, still_superfluous


def sweeping(begin: Callable[..., None]) -> Callable[..., None]:
    """Let a resumed hook remove what it wrote and has no use for.

    These are the files that were to go when the run was killed, and those beyond
    ``max_keep_ckpts`` where it keeps fewer than before.
    """

    @wraps(begin)
    def begin_training(hook: CheckpointHook, runner: Runner) -> None:
        _forget_other_folders(hook, runner)
        ids = runner.message_hub.get_info("keep_ckpt_ids", []) if hook.max_keep_ckpts > 0 else []
        beyond = list(ids)[: max(len(ids) - hook.max_keep_ckpts, 0)]
        if beyond:
            runner.message_hub.update_info("keep_ckpt_ids", list(ids)[len(beyond) :])
        begin(hook, runner)
        _remember_last(hook, runner)
        if not is_main():
            return
        for step in beyond:
            path = hook.file_backend.join_path(hook.out_dir, hook.filename_tmpl.format(step))
            if is_own_file(hook, str(hook.out_dir), path) and hook.file_backend.isfile(path):
                remove_if_possible(hook.file_backend.remove, path)
        _sweep(hook, runner)

    return begin_training


def _forget_other_folders(hook: CheckpointHook, runner: Runner) -> None:
    """A checkpoint of another folder knows the files of that one: none of them is here."""
    begun_from = getattr(runner, "resumed_from", None)
    if begun_from is not None and not _is_in(begun_from, folder_of(hook, runner)):
        for name in ("keep_ckpt_ids", KEY):
            runner.message_hub.runtime_info.pop(name, None)


def _remember_last(hook: CheckpointHook, runner: Runner) -> None:
    """Let a resumed hook know its last file: only then does it save again at a new best."""
    begun_from = getattr(runner, "resumed_from", None)
    if begun_from is not None and is_own_file(hook, str(hook.out_dir), begun_from):
        hook.last_ckpt = begun_from


def _sweep(hook: CheckpointHook, runner: Runner) -> None:
    """Remove what the resumed checkpoint calls superfluous, but for itself."""
    begun_from = getattr(runner, "resumed_from", None)
    removed = []
    for path in still_superfluous(hook, runner):
        if begun_from is None or os.path.realpath(path) != os.path.realpath(begun_from):
            remove_if_possible(hook.file_backend.remove, path)
            removed.append(os.path.basename(path))
    if removed:
        print_log(f"Removed what the interrupted run left: {', '.join(removed)}.", "current")
    forget_removed(hook, runner)


def _is_in(path: str, folder: str) -> bool:
    if "://" in path or "://" in folder:
        return path.rpartition("/")[0] == folder.rstrip("/")
    return os.path.realpath(os.path.dirname(path) or os.curdir) == os.path.realpath(folder)
