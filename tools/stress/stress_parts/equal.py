"""Compare where two runs ended, bit for bit."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch
from mmengine.logging import HistoryBuffer

from mmreid_ext.checkpoint import safe_load

from .record import differences as record_differences
from .record import end_of
from .runs import record_of

_OTHER = (
    *("time", "eta", "memory", "cfg", "experiment_name", "mmengine_version"),
    *("keep_ckpt_ids", "superfluous_ckpts"),
)
"""These differ between any two runs: what the clock says, folders, the number of workers, the
commit of the current folder, and which checkpoints are kept beside the last."""


def differences(folder: Path, expected: Path) -> list[str]:
    """Compare an interrupted run with an undisturbed one.

    Args:
        folder: Work folder of the former.
        expected: Work folder of the latter.

    Returns:
        What differs: a line for each loss, validation, weight, memory, moment, schedule and history
        at the end on every rank, for the weights of each checkpoint, and for each file that is
        missing or too much. A run that goes on may keep another checkpoint besides its last one,
        as MMEngine saves once more after some validations; it must know of each that is there.
    """
    record, wanted = record_of(folder), record_of(expected)
    lines = record_differences(record, wanted)
    rank = 0
    while end_of(wanted, rank).exists():
        one, other = (safe_load(end_of(path, rank)) for path in (record, wanted))
        lines += _compare(one, other, f"end of rank {rank}")
        rank += 1
    names, right = _files(folder), _right_files(folder, expected)
    lines += [f"{name} is missing" for name in sorted(right - names)]
    lines += [f"{name} was left" for name in sorted(names - right)]
    for name in sorted(names & _files(expected)):
        if name.endswith(".pth"):
            one, other = safe_load(folder / name), safe_load(expected / name)
            lines += _compare(one["state_dict"], other["state_dict"], name)
            lines += _compare(_place(one), _place(other), f"{name} meta")
    return lines


def state_differences(folder: Path, expected: Path) -> list[str]:
    """Compare the last checkpoints of two runs: all but what the clock and the folders say."""
    one, other = (_last(path) for path in (folder, expected))
    if one.name != other.name:
        return [f"the last checkpoint is {one.name}, not {other.name}"]
    names = ("state_dict", "optimizer", "param_schedulers", "message_hub")
    first, second = safe_load(one), safe_load(other)
    kept = [{name: file.get(name) for name in names} for file in (first, second)]
    return _compare(*kept, one.name) + _compare(_place(first), _place(second), "meta")


def _last(folder: Path) -> Path:
    return folder / Path((folder / "last_checkpoint").read_text()).name


def _files(folder: Path) -> set[str]:
    """Names in a work folder, but for the folders of logs, which every attempt has."""
    return {path.name for path in folder.iterdir() if path.is_file()}


def _right_files(folder: Path, expected: Path) -> set[str]:
    """Names that a work folder should have: of checkpoints those that the run keeps."""
    hub = safe_load(end_of(record_of(folder), 0))["message_hub"]
    kept = {f"iter_{number}.pth" for number in hub["runtime_info"]["keep_ckpt_ids"]}
    last = (expected / "last_checkpoint").read_text()
    return {n for n in _files(expected) if not n.startswith("iter_")} | kept | {Path(last).name}


def _place(checkpoint: Mapping) -> dict:
    return {name: checkpoint["meta"].get(name) for name in ("iter", "seed")}


def _compare(one: Any, other: Any, where: str) -> list[str]:
    one, other = _content(one), _content(other)
    if isinstance(one, Mapping) and isinstance(other, Mapping):
        keys = {key for key in one.keys() | other.keys() if not str(key).endswith(_OTHER)}
        both = keys & one.keys() & other.keys()
        lines = [f"{where}/{key} is in one only" for key in sorted(keys - both)]
        return lines + [x for key in both for x in _compare(one[key], other[key], f"{where}/{key}")]
    if isinstance(one, (list, tuple)) and isinstance(other, (list, tuple)):
        if len(one) != len(other):
            return [f"{where}: {len(one)} entries, not {len(other)}"]
        pairs = enumerate(zip(one, other, strict=True))
        return [line for i, (a, b) in pairs for line in _compare(a, b, f"{where}/{i}")]
    if isinstance(one, np.ndarray) and isinstance(other, np.ndarray):
        same = one.dtype == other.dtype and one.shape == other.shape
        return [] if same and one.tobytes() == other.tobytes() else [f"{where} differs"]
    same = type(one) is type(other) and repr(one) == repr(other)
    return [] if same else [f"{where}: {one!r}, not {other!r}"[:200]]


def _content(value: Any) -> Any:
    """What is compared of a value: the numbers of tensors and histories, names of files."""
    if isinstance(value, torch.Tensor):
        return value.detach().contiguous().cpu().numpy()
    if isinstance(value, HistoryBuffer):
        return dict(zip(("values", "counts"), value.data, strict=True))
    if isinstance(value, str) and Path(value).is_absolute():
        return Path(value).name
    return value
