"""The places in MMEngine where checkpoints are read, written and removed, and what is put there.

Installed by ``mmreid_ext.compat.enable_safe_checkpoints``; nothing else imports this module.
"""

from __future__ import annotations

import builtins
import os
from collections.abc import Callable, Mapping
from functools import wraps
from pathlib import Path
from typing import Any
from urllib.parse import urlparse

import torch
from mmengine.fileio import LocalBackend
from mmengine.hooks import CheckpointHook, checkpoint_hook
from mmengine.runner import Runner

from mmreid_ext.checkpoint.starting.download import download
from mmreid_ext.distributed import is_main
from mmreid_ext.output_files.atomic import atomic_open, atomic_write

from . import fine_tuning
from .plain import to_plain
from .resume import resuming
from .resume.meta import without_code
from .resume.own_files import OwnFilesOnly, is_own_file
from .safe_load import safe_load
from .warning import warn


def install(mm_checkpoint: Any) -> None:
    """Replace the functions in ``mmengine.runner.checkpoint`` and around it.

    Args:
        mm_checkpoint: That module.
    """
    mm_checkpoint.torch = TorchForCheckpoints()
    mm_checkpoint.load_url = load_url
    LocalBackend.put = _atomic_put
    fine_tuning.install(mm_checkpoint)
    resuming.install()
    checkpoint_hook.open = _open_atomically_for_writing  # shadows the builtin in that module
    for name in ("_save_checkpoint_with_step", "_save_best_checkpoint"):
        setattr(CheckpointHook, name, _removing_afterwards(getattr(CheckpointHook, name)))
    CheckpointHook.before_train = _removing_own_files(CheckpointHook.before_train)


class TorchForCheckpoints:
    """``torch`` as MMEngine's checkpoint module sees it: only ``load`` and ``save`` differ."""

    def __getattr__(self, name: str) -> Any:
        return getattr(torch, name)

    @staticmethod
    def load(f: Any, map_location: Any = None, **_: Any) -> Any:
        """Load safely whatever else is asked for: a fall-back to full pickle ends here."""
        return without_code(safe_load(f, map_location))

    @staticmethod
    def save(obj: Any, f: Any, **kwargs: Any) -> None:
        """Save plain types only."""
        torch.save(to_plain(_without_functions(obj)), f, **kwargs)


def _without_functions(checkpoint: Any) -> Any:
    """A checkpoint without the functions in its schedules' states (``OneCycleLR`` keeps one).

    The schedule that a resumed run builds has them anyway.
    """
    states = checkpoint.get("param_schedulers") if isinstance(checkpoint, Mapping) else None
    if not states:
        return checkpoint

    def strip(value: Any) -> Any:
        if isinstance(value, list):
            return [strip(item) for item in value]
        if isinstance(value, Mapping):
            return {key: strip(item) for key, item in value.items() if not callable(item)}
        return value

    return {**checkpoint, "param_schedulers": strip(states)}


def load_url(
    url: str,
    model_dir: str | None = None,
    map_location: Any = None,
    progress: bool = True,
    **_: Any,
) -> Any:
    """Download to PyTorch's cache, as ``torch.hub.load_state_dict_from_url`` does, and load safely.

    Args:
        url: Address of the file.
        model_dir: Folder to keep it in; PyTorch's cache by default.
        map_location: As in ``torch.load``.
        progress: Whether to show a bar.

    Returns:
        The checkpoint.

    Raises:
        UserError: If the file isn't there and can't be downloaded; after a few seconds at most.
    """
    folder = Path(model_dir or os.path.join(torch.hub.get_dir(), "checkpoints"))
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / os.path.basename(urlparse(url).path)
    if not path.exists():
        download(url, path, progress)
    return without_code(safe_load(path, map_location))


def _atomic_put(self: LocalBackend, obj: bytes, filepath: str | Path) -> None:
    Path(filepath).parent.mkdir(parents=True, exist_ok=True)
    atomic_write(filepath, obj)


def _open_atomically_for_writing(file: Any, mode: str = "r", **kwargs: Any) -> Any:
    opener = atomic_open if mode in ("w", "wb") else builtins.open
    return opener(file, mode, **kwargs)


def _remove_if_possible(remove: Callable[[str], None], path: str) -> None:
    """Remove a file that isn't needed; if somebody was quicker, or it fails, training continues."""
    try:
        remove(path)
    except FileNotFoundError:
        return
    except OSError as error:
        warn(f"The superfluous checkpoint {path} can't be removed ({error}).")


def _removing_afterwards(save: Callable[..., None]) -> Callable[..., None]:
    """Let a method of ``CheckpointHook`` remove old checkpoints after the new one is there."""

    @wraps(save)
    def save_then_remove(hook: CheckpointHook, *args: Any, **kwargs: Any) -> None:
        if not hasattr(hook, "file_backend"):  # Runner.val() without training: nothing is saved
            save(hook, *args, **kwargs)
            return
        backend = hook.file_backend
        hook.file_backend = noted = OwnFilesOnly(backend, hook)
        try:
            save(hook, *args, **kwargs)
        finally:
            hook.file_backend = backend
        best = getattr(hook, "best_ckpt_path_dict", {}).values()
        in_use = {hook.last_ckpt, getattr(hook, "best_ckpt_path", None), *best}
        for path in noted.removals:
            if path not in in_use:  # the same step can be saved again after a resumed run
                _remove_if_possible(backend.remove, path)

    return save_then_remove


def _removing_own_files(begin: Callable[..., None]) -> Callable[..., None]:
    """Let a resumed hook remove what it wrote, where it keeps fewer checkpoints than before."""

    @wraps(begin)
    def begin_training(hook: CheckpointHook, runner: Runner) -> None:
        ids = runner.message_hub.get_info("keep_ckpt_ids", []) if hook.max_keep_ckpts > 0 else []
        superfluous = list(ids)[: max(len(ids) - hook.max_keep_ckpts, 0)]
        if superfluous:
            runner.message_hub.update_info("keep_ckpt_ids", list(ids)[len(superfluous) :])
        begin(hook, runner)
        if not is_main():
            return
        for step in superfluous:
            path = hook.file_backend.join_path(hook.out_dir, hook.filename_tmpl.format(step))
            if is_own_file(hook, str(hook.out_dir), path) and hook.file_backend.isfile(path):
                _remove_if_possible(hook.file_backend.remove, path)

    return begin_training
