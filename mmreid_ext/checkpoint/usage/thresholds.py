"""Read the thresholds that testing stored with a checkpoint."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Threshold:
    """A similarity from which on two images count as one person."""

    fpr: float
    similarity: float | None
    tpr: float | None
    negatives: int
    dataset: str


def read_thresholds(record: Mapping[str, Any]) -> list[Threshold]:
    """Return the thresholds of a record."""
    return [Threshold(**entry) for entry in record.get("thresholds") or []]
