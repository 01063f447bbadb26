"""Put the figures of a training into one line, as many as fit."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta

SEPARATOR = "  "


@dataclass(frozen=True)
class Figures:
    """Where a training stands.

    Attributes:
        place: Such as ``'iter 20/300'``.
        values: Logged numbers by name: ``loss``, ``loss_<term>``, ``lr``, ``gate/mean``, …
        images_per_second: Training images of all ranks; None where unknown.
        eta: Seconds to the end; None where unknown.
        notes: What only the log file shows, such as the memory.
    """

    place: str
    values: Mapping[str, float]
    images_per_second: float | None = None
    eta: float | None = None
    notes: Sequence[str] = field(default=())

    def by_importance(self) -> list[str]:
        """Return the parts of the line, what must not be missing first."""
        parts = [self.place]
        if "loss" in self.values:
            parts.append(f"loss {short(self.values['loss'])}")
        if self.eta is not None:
            parts.append(f"eta {timedelta(seconds=round(self.eta))}")
        if "lr" in self.values:
            parts.append(f"lr {self.values['lr']:.3g}")
        if "gate/mean" in self.values:
            parts.append(f"gate {self.values['gate/mean']:.3f}")
        if self.images_per_second is not None:
            parts.append(f"{short(self.images_per_second)} images/s")
        return [*parts, *self.terms()]

    def terms(self) -> list[str]:
        """Return the terms of the loss, those of each pass together: ``'ce 1.06 triplet 0.11'``."""
        passes: dict[str, list[str]] = {}
        for name, value in self.values.items():
            owner, _, term = name.rpartition("/")
            if term.startswith("loss_"):
                said = f"{term.removeprefix('loss_')} {short(value)}"
                passes.setdefault(owner.replace("_", "-"), []).append(said)
        return [" ".join([f"{owner}:"] * bool(owner) + terms) for owner, terms in passes.items()]

    def whole(self) -> str:
        """Return the line with everything, for pipes and files."""
        return SEPARATOR.join([*self.by_importance(), *self.notes])

    def fitted(self, width: int) -> str:
        """Return the line with as much of it as ``width`` columns hold."""
        line = ""
        for part in self.by_importance():
            longer = f"{line}{SEPARATOR}{part}" if line else part
            if len(longer) <= width:
                line = longer
        return line or self.place[:width]


def short(value: float) -> str:
    """Return a number with about three digits: ``'0.108'``, ``'5.73'``, ``'70'``, ``'2,400'``."""
    if not math.isfinite(value):
        return str(value)
    if abs(value) >= 10:
        return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.1f}"
    return f"{value:.3f}" if abs(value) < 1 else f"{value:.2f}"
