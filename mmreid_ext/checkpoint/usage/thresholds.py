"""Keep with a checkpoint from which similarity on two images count as one person."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterable
from dataclasses import asdict
from typing import Any

import torch

from mmreid_ext.checkpoint.plain import to_plain
from mmreid_ext.checkpoint.safe_load import read_meta, safe_load
from mmreid_ext.output_files.atomic import atomic_open, one_at_a_time
from mmreid_ext.verdicts.thresholds import Threshold, threshold_entries

from .record import KEY, recorded


def store_thresholds(checkpoint: str | os.PathLike, thresholds: Iterable[Threshold]) -> bool:
    """Keep thresholds with a checkpoint, in place of earlier ones of the same test sets.

    The file is replaced as a whole or not at all. It is not touched if it holds these thresholds
    already, or no record of use to keep them in. Tests of one file that end together wait for one
    another, so each keeps its sets.

    Args:
        checkpoint: A checkpoint of this package.
        thresholds: Of one test set or several.

    Returns:
        Whether the file holds the thresholds now.

    Raises:
        OSError: If the file can't be written, or is marked as read-only.
    """
    given = list(thresholds)
    if not given or _renewed(checkpoint, given) is None:
        return False
    with one_at_a_time(checkpoint):
        entries = _renewed(checkpoint, given)
        if entries:
            _write(checkpoint, entries)
    return True


def _renewed(
    checkpoint: str | os.PathLike, given: Iterable[Threshold]
) -> list[dict[str, Any]] | None:
    """Return the entries to write; empty if the file holds them, None if it has no record."""
    known = recorded({"meta": read_meta(checkpoint)})
    if known is None:
        return None
    fresh = [asdict(threshold) for threshold in given]
    renewed = {entry["dataset"] for entry in fresh}
    before = [dict(entry) for entry in threshold_entries(known)]
    if [entry for entry in before if entry.get("dataset") in renewed] == fresh:
        return []
    return [*(entry for entry in before if entry.get("dataset") not in renewed), *fresh]


def _write(checkpoint: str | os.PathLike, entries: list[dict[str, Any]]) -> None:
    mode = os.stat(checkpoint).st_mode
    if not mode & (stat.S_IWUSR | stat.S_IWGRP | stat.S_IWOTH):
        raise PermissionError("it is marked as read-only")
    loaded = safe_load(checkpoint, map_location="cpu")
    loaded["meta"][KEY] = {**loaded["meta"][KEY], "thresholds": entries}
    with atomic_open(checkpoint, "wb") as file:
        torch.save(to_plain(loaded), file)
        if os.name == "posix":
            os.fchmod(file.fileno(), stat.S_IMODE(mode))  # readers of the old file read the new one
