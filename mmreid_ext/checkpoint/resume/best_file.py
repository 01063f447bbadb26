"""Fit the memory of a run's best checkpoint to the run that is resumed."""

from __future__ import annotations

import os
from collections.abc import Mapping, MutableMapping
from typing import Any

from mmengine.hooks import CheckpointHook
from mmengine.runner import Runner

from mmreid_ext.checkpoint.warning import warn

from .own_files import folder_of, has_own_name, is_own_file


def watched_metrics(runner: Runner) -> list[str]:
    """List the metrics by which checkpoint hooks choose the best, each with its rule."""
    hooks = [hook for hook in runner.hooks if isinstance(hook, CheckpointHook) and hook.save_best]
    return [
        f"{metric} ({rule})"
        for hook in hooks
        for metric, rule in zip(hook.key_indicators, hook.rules, strict=True)
    ]


def ready_best(runner: Runner, hub: Mapping[str, Any], record: Mapping[str, Any] | None) -> None:
    """Forget the best score if it is that of another metric; find the best file if it moved.

    MMEngine would compare the new metric with the old one's best value, never remove a best file
    that a moved folder took along, and remove that of the original of a copied one.

    Args:
        runner: The run that is resumed.
        hub: State of the message hub in the checkpoint, changed in place.
        record: See :func:`.run_record.describe_run`; None for older files.
    """
    info = hub.get("runtime_info", {})
    now = watched_metrics(runner)
    before = now if record is None else record.get("save_best", now)
    chosen_later = any(text.startswith("auto ") for text in (*before, *now))
    if before and now and before != now and not chosen_later:
        for name in [name for name in info if name.startswith(("best_score", "best_ckpt"))]:
            del info[name]
        warn(
            f"resume: save_best was {', '.join(before)}, is {', '.join(now)}: the best of the "
            "former is forgotten, its file stays."
        )
    _find_here(runner, info)


def _find_here(runner: Runner, info: MutableMapping[str, Any]) -> None:
    """Name the best files of the own folder only: MMEngine removes what is named there."""
    hooks = [hook for hook in runner.hooks if isinstance(hook, CheckpointHook)]
    for name in [name for name in info if name.startswith("best_ckpt")]:
        path = str(info.pop(name))
        file = path.rpartition("/")[2]
        for hook in hooks:
            folder = folder_of(hook, runner)
            here = path if is_own_file(hook, folder, path) else os.path.join(folder, file)
            if has_own_name(hook, file) and ("://" in folder or os.path.isfile(here)):
                info[name] = here
                break
