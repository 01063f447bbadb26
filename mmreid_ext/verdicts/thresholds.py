"""From which similarity on two images count as one person, and at which rate of false alarms."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from mmreid_ext.setting_checks import is_finite

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
        record: Use of a checkpoint or of an exported file, see :mod:`mmreid_ext.checkpoint.usage`.
        dataset: Name of the test set. Defaults to one with a gallery of its own before one of
            self-retrieval, then to the one with most pairs of different people: its thresholds are
            the surest. Among equals the first by name.
    """
    found = [
        threshold
        for entry in threshold_entries(record)
        if (threshold := _parsed(entry)) is not None
    ]
    if dataset is None:
        first = min(found, key=lambda t: (t.self_retrieval, -t.negatives, t.dataset), default=None)
        dataset = None if first is None else first.dataset
    return sorted((t for t in found if t.dataset == dataset), key=lambda t: -t.fpr)


def threshold_sets(record: Mapping[str, Any]) -> list[str]:
    """Name the test sets whose thresholds are kept."""
    parsed = map(_parsed, threshold_entries(record))
    return sorted({threshold.dataset for threshold in parsed if threshold is not None})


def threshold_entries(record: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """Return the entries of a record as they are written there."""
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
    return float(value) if isinstance(value, (int, float)) and is_finite(value) else None
