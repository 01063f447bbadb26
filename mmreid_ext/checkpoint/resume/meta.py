"""Own what a checkpoint says about its run, before MMEngine reads it.

MMEngine executes ``meta['config']`` as Python, takes iteration and epoch as they are, and finds the
files that it removes in the state of the message hub.
"""

from __future__ import annotations

from collections.abc import Mapping, MutableMapping
from typing import Any

import numpy as np
from mmengine.logging import HistoryBuffer, print_log

from mmreid_ext.checkpoint.usage.configuration_text import read_settings
from mmreid_ext.config_files.plain_settings import require_plain
from mmreid_ext.errors import UserError
from mmreid_ext.shorten import one_line, shorten

from .plain_values import (
    NUMBER,
    PARTS,
    SMALL,
    STEP,
    TEXT,
    TEXTS,
    TRUTH,
    WHOLE,
    WHOLES,
    Kind,
    is_whole,
    require,
)
from .run_record import KEY

_READ = ("epoch", "iter", "seed", "dataset_meta")
"""Entries of ``meta`` that MMEngine may read while it resumes."""

_CODE = "config"
"""Entry of ``meta`` that MMEngine executes; no version that we support writes it."""

_TEXT = "cfg"
"""Entry that holds the text of the configuration."""

_SEED = Kind("None or a whole number below 2**32", lambda v: v is None or is_whole(v) and v < 2**32)

_INFO = {
    "iter": STEP,
    "epoch": STEP,
    "max_iters": WHOLE,
    "max_epochs": WHOLE,
    "eta": NUMBER,
    "keep_ckpt_ids": WHOLES,
    "last_ckpt": TEXT,
    "loop_stage": TEXT,
    "superfluous_ckpts": TEXTS,
}
"""What MMEngine reads of ``message_hub['runtime_info']``."""

_BEST = {"best_score": NUMBER, "best_ckpt": TEXT}
"""The same by the beginning of the name; the name of a metric follows."""

_HUB = ("log_scalars", "runtime_info", "resumed_keys")

_RECORD = {
    "decides": PARTS,
    "reported": PARTS,
    "save_best": TEXTS,
    "validated": TRUTH,
    "world_size": WHOLE,
}


def without_code(checkpoint: Any) -> Any:
    """Return a loaded checkpoint without what MMEngine would execute.

    That is ``meta.config``, and the text of the configuration in ``meta`` and in the message hub,
    unless it is plain data of registered types: MMEngine's inferencers run it.
    """
    meta, hub = (_part(checkpoint, name) for name in ("meta", "message_hub"))
    meta.pop(_CODE, None)
    for holder in (meta, _part(hub, "runtime_info")):
        if _TEXT in holder and not _is_plain(holder[_TEXT]):
            del holder[_TEXT]
            print_log(
                "The checkpoint's text of a configuration is left out: it is no plain data of "
                "registered types, and is never executed.",
                logger="current",
            )
    return checkpoint


def _part(holder: Any, name: str) -> MutableMapping[str, Any]:
    part = holder.get(name) if isinstance(holder, Mapping) else None
    return part if isinstance(part, MutableMapping) else {}


def _is_plain(text: Any) -> bool:
    """Whether a text may be executed: assignments of literals, which name registered types."""
    if not isinstance(text, str) or "{{" in text:  # which MMEngine replaces beforehand
        return False
    try:
        require_plain(read_settings(text, None), "checkpoint")
    except UserError:
        return False
    return True


def for_mmengine(checkpoint: Mapping[str, Any]) -> dict[str, Any]:
    """Copy a checkpoint that hooks have seen, with no more of ``meta`` than resuming reads."""
    meta = checkpoint["meta"]
    return {**checkpoint, "meta": {name: meta[name] for name in _READ if name in meta}}


def require_expected_meta(filename: str, meta: Any) -> None:
    """Refuse a ``meta`` that is not what a run writes.

    Raises:
        UserError: Names the entry and its value.
    """
    require(filename, "meta", meta, PARTS)
    for name, kind in {"iter": WHOLE, "epoch": WHOLE}.items():
        if name in meta:  # a file without them gets a message of its own
            require(filename, f"meta.{name}", meta[name], kind)
    if "iter" in meta and meta.get("epoch", 0) > meta["iter"] + 1:
        raise UserError(
            f"resume: {filename}: meta.epoch={meta['epoch']} after meta.iter={meta['iter']}, an "
            "epoch has at least one iteration; the file is damaged or no run wrote it: resume "
            "from another checkpoint of the run."
        )
    require(filename, "meta.seed", meta.get("seed"), _SEED)
    require(filename, "meta.dataset_meta", meta.get("dataset_meta"), SMALL)
    if KEY in meta:
        _require_record(filename, meta[KEY])


def _require_record(filename: str, record: Any) -> None:
    where = f"meta.{KEY}"
    require(filename, where, record, PARTS)
    require(filename, where, record, SMALL)
    for name, kind in _RECORD.items():
        if name in record or name != "save_best":  # which early versions didn't write
            require(filename, f"{where}.{name}", record.get(name), kind)


def own_message_hub(filename: str, checkpoint: dict[str, Any]) -> None:
    """Put a message hub of expected parts in the place of the checkpoint's.

    Args:
        filename: The checkpoint, for messages.
        checkpoint: Its content; ``message_hub`` is replaced.

    Raises:
        UserError: If a part is missing, or a value is no such value; names it.
    """
    hub = checkpoint["message_hub"]
    require(filename, "message_hub", hub, PARTS)
    for name in _HUB:
        require(filename, f"message_hub.{name}", hub.get(name), PARTS)
    info = hub["runtime_info"]
    for name, value in info.items():
        where = f"message_hub.runtime_info.{one_line(name)}"
        require(filename, where, value, _kind_of(name))
        require(filename, where, value, SMALL)
    scalars = {k: v for k, v in hub["log_scalars"].items() if _is_history(v)}
    dropped = [one_line(name) for name in hub["log_scalars"] if name not in scalars]
    if dropped:
        print_log(f"resume: no history of values, left out: {shorten(dropped)}.", logger="current")
    # All that is saved is to be resumed; what was not to be isn't in the file.
    saved = {**scalars, **info}
    order = [name for name in hub["resumed_keys"] if name in saved]
    checkpoint["message_hub"] = {
        "log_scalars": type(hub["log_scalars"])(scalars),
        "runtime_info": info,
        "resumed_keys": dict.fromkeys([*order, *saved], True),
    }


def _kind_of(name: str) -> Kind:
    for beginning, kind in _BEST.items():
        if name == beginning or name.startswith(f"{beginning}_"):
            return kind
    return _INFO.get(name, SMALL)


def _is_history(value: Any) -> bool:
    """Whether a value is a buffer to which MMEngine can append."""
    if not isinstance(value, HistoryBuffer):
        return False
    logs, counts = value.data
    if not all(isinstance(part, np.ndarray) and part.ndim == 1 for part in (logs, counts)):
        return False
    numbers = logs.dtype.kind in "biuf" and counts.dtype.kind in "biuf"
    return numbers and len(logs) == len(counts) and is_whole(value.max_length, 1)
