"""Keep with a checkpoint from which similarity on two images count as one person."""

from __future__ import annotations

import math
import os
import stat
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from typing import Any

import torch

from mmreid_ext.checkpoint.atomic import atomic_open, one_at_a_time
from mmreid_ext.checkpoint.plain import to_plain
from mmreid_ext.checkpoint.safe_load import read_meta, safe_load

from .record import KEY, recorded

STORED_FPRS = (1e-2, 1e-3, 1e-4)
"""False positive rates whose thresholds are kept."""

COARSE_FPR = 1e-1
"""Kept, too, for a test set that is too small for the others: better than no answer at all."""


@dataclass(frozen=True)
class Threshold:
    """A similarity from which on two images count as one person.

    Attributes:
        fpr: Share of pairs of different people that reach it, in (0, 1].
        similarity: Cosine similarity, in [-1, 1]. None where the test set has fewer than
            ``1 / fpr`` pairs of different people: it can't support this rate.
        tpr: Share of pairs of one person that reach it, in [0, 1]; None likewise.
        negatives: Pairs of different people that were counted.
        dataset: Name of the test set.
        self_retrieval: Whether the test asked every image against all others. Most of its pairs of
            one person then come from one camera and one moment.
    """

    fpr: float
    similarity: float | None
    tpr: float | None
    negatives: int
    dataset: str
    self_retrieval: bool = False


def read_thresholds(record: Mapping[str, Any], dataset: str | None = None) -> list[Threshold]:
    """Return the thresholds of one test set, the highest rate first; empty if there are none.

    Args:
        record: What :func:`.read_deployment_info` returns.
        dataset: Name of the test set. Defaults to one with a gallery of its own before one of
            self-retrieval, then to the one with most pairs of different people: its thresholds are
            the surest. Among equals the first by name.
    """
    found = [threshold for entry in _entries(record) if (threshold := _parsed(entry)) is not None]
    if dataset is None:
        first = min(found, key=lambda t: (t.self_retrieval, -t.negatives, t.dataset), default=None)
        dataset = None if first is None else first.dataset
    return sorted((t for t in found if t.dataset == dataset), key=lambda t: -t.fpr)


def threshold_sets(record: Mapping[str, Any]) -> list[str]:
    """Name the test sets whose thresholds are kept."""
    parsed = map(_parsed, _entries(record))
    return sorted({threshold.dataset for threshold in parsed if threshold is not None})


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
    before = [dict(entry) for entry in _entries(known)]
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


def _entries(record: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    entries = record.get("thresholds")
    return [e for e in entries if isinstance(e, Mapping)] if isinstance(entries, list) else []


def _parsed(entry: Mapping[str, Any]) -> Threshold | None:
    """Read an entry; None for one that another program wrote in its own way."""
    fpr, similarity, tpr = (_number(entry.get(name)) for name in ("fpr", "similarity", "tpr"))
    negatives, dataset = entry.get("negatives"), entry.get("dataset")
    if fpr is None or not isinstance(dataset, str) or not isinstance(negatives, int):
        return None
    tpr = None if similarity is None else tpr
    return Threshold(fpr, similarity, tpr, negatives, dataset, entry.get("self_retrieval") is True)


def _number(value: Any) -> float | None:
    known = isinstance(value, (int, float)) and math.isfinite(value)
    return float(value) if known else None
