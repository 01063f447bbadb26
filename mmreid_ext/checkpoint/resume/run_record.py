"""Record what decides how a run continues, and compare it when the run is resumed.

A resumed run takes its optimiser, its schedules and its seed from the checkpoint. So a setting that
was changed in between would either be ignored, or change the run in the middle. Both are refused.
What can't be told from a harmless change (the network's settings, the pictures' transforms) is
reported.
"""

from __future__ import annotations

import zlib
from collections.abc import Mapping
from typing import Any

import numpy as np
from mmengine.hooks import EMAHook
from mmengine.optim import OptimWrapperDict
from mmengine.runner import BaseLoop, Runner

from mmreid_ext.distributed import get_world_size

from .best_file import watched_metrics

KEY = "mmreid_ext_run"
"""Entry of a checkpoint's ``meta``."""

_DESCRIBED = ("model", "train_dataloader.dataset")
"""Parts of the configuration whose changes are reported."""

_HARMLESS = ("init_cfg", "data_root", "data_prefix", "csv_file", "store", "on_corrupt", "indices")
"""Keys in them that don't matter to a run that has begun: where things lie."""

_PLAIN = (type(None), bool, int, float, str)

_OF_THE_RANK = (
    "batch_size",
    "rank",
    "world_size",
    "num_replicas",
    "num_samples",
    "total_size",
    "seed",
    "epoch",
    "start_iteration",
    "infinite",
)
"""Attributes of samplers that are compared elsewhere, or belong to a rank or a moment."""


def describe_run(runner: Runner) -> dict[str, Any] | None:
    """Describe a run in numbers and text.

    Args:
        runner: A runner whose training loop and optimiser are built.

    Returns:
        ``decides`` (settings whose change is refused), ``reported`` (settings whose change is
        reported), both flat; ``save_best``, the metrics by which the best checkpoint is chosen;
        ``validated``, whether the validation of this moment has run; and the number of ranks.
        ``None`` without a training loop.
    """
    loop = runner._train_loop
    if not isinstance(loop, BaseLoop):
        return None
    settings = loop.run_settings() if hasattr(loop, "run_settings") else {}  # a loop of ours
    decides = {
        "train_cfg": {"type": type(loop).__name__, **settings},
        "optim_wrapper": _optimizers(runner.optim_wrapper),
        "EMAHook": [_average(hook) for hook in runner.hooks if isinstance(hook, EMAHook)],
        "train_dataloader": describe_loader(getattr(loop, "dataloader", None)),
    }
    return dict(
        decides=flatten(decides),
        reported=flatten(_parts_of_config(runner)),
        save_best=watched_metrics(runner),
        validated=bool(getattr(loop, "validated", False)),
        world_size=get_world_size(),
    )


def changes(before: Mapping[str, Any], now: Mapping[str, Any]) -> list[str]:
    """Say what differs between two flat descriptions, in the order of ``now``."""
    names = [*now, *(name for name in before if name not in now)]
    absent = "not set"
    return [
        f"{name} was {before.get(name, absent)}, is {now.get(name, absent)}"
        for name in names
        if before.get(name, absent) != now.get(name, absent)
    ]


def flatten(value: Any, path: str = "") -> dict[str, Any]:
    """Turn nested settings into ``{'a.b.0': value}``; values that are no numbers become text."""
    if isinstance(value, Mapping):
        items = [(str(key), item) for key, item in value.items()]
    elif isinstance(value, (list, tuple)):
        items = [(str(number), item) for number, item in enumerate(value)]
    else:
        return {path: _plain(value)}
    found: dict[str, Any] = {}
    for key, item in items:
        found |= flatten(item, f"{path}.{key}" if path else key)
    return found


def _plain(value: Any) -> Any:
    if type(value) in _PLAIN:
        return value
    if callable(value):  # a type given as a class
        return f"{getattr(value, '__module__', '')}.{getattr(value, '__qualname__', value)}"
    return str(value)


def _optimizers(wrapper: Any) -> dict[str, Any]:
    if isinstance(wrapper, OptimWrapperDict):
        return {name: _optimizers(one) for name, one in wrapper.items()}
    found = {
        "type": type(wrapper).__name__,
        "accumulative_counts": getattr(wrapper, "_accumulative_counts", 1),
        "clip_grad": getattr(wrapper, "clip_grad_kwargs", None) or None,
        "dtype": getattr(wrapper, "cast_dtype", None),
    }
    return found | {"optimizer": {"type": type(wrapper.optimizer).__name__}}


def _average(hook: EMAHook) -> dict[str, Any]:
    return dict(hook.ema_cfg, begin_iter=hook.begin_iter, begin_epoch=hook.begin_epoch)


def describe_loader(loader: Any, sampler: Any = None) -> dict[str, Any]:
    """Describe a training loader: images of all ranks, their order, and who is behind the labels.

    Args:
        loader: The loader.
        sampler: Where its images come from, if that isn't its own sampler.
    """
    sampler = getattr(loader, "sampler", None) if sampler is None else sampler
    size = getattr(sampler, "batch_size", None) or getattr(loader, "batch_size", None)
    settings = {
        name: value
        for name, value in getattr(sampler, "__dict__", {}).items()
        if name not in _OF_THE_RANK and not name.startswith("_") and type(value) in _PLAIN
    }
    return {
        "batch_size (of all ranks)": None if size is None else size * get_world_size(),
        "sampler": {"type": type(sampler).__name__, **settings},
        "dataset": _content(getattr(loader, "dataset", None)),
    }


def _content(dataset: Any) -> dict[str, Any]:
    found: dict[str, Any] = {}
    if hasattr(dataset, "__len__"):
        found["images"] = len(dataset)
    for name in ("pids", "camids", "domains"):
        labels = getattr(dataset, name, None)
        if isinstance(labels, np.ndarray) and np.issubdtype(labels.dtype, np.integer):
            found[f"{name} (checksum)"] = zlib.crc32(labels.astype(np.int64).tobytes())
    return found


def _parts_of_config(runner: Runner) -> dict[str, Any]:
    found = {}
    for path in _DESCRIBED:
        part: Any = runner.cfg
        for key in path.split("."):
            part = part.get(key) if isinstance(part, Mapping) or hasattr(part, "get") else None
        if isinstance(part, Mapping):
            found[path] = _without_places(part)
    return found


def _without_places(part: Any) -> Any:
    if isinstance(part, Mapping):
        return {k: _without_places(v) for k, v in part.items() if k not in _HARMLESS}
    if isinstance(part, (list, tuple)):
        return [_without_places(item) for item in part]
    return part
