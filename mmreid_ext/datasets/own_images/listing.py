"""The pictures found, one entry each, and those left out, with the reason."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

from mmreid_ext.shorten import shorten

Box = tuple[float, float, float, float]


@dataclass(frozen=True)
class OwnImage:
    """One picture of a person.

    Args:
        path: The file, or the frame that the person is in.
        person: Name or number.
        camera: Name or number; empty: unknown.
        split: ``train``, ``query``, ``gallery`` or ``test`` as a table says; empty: not said.
        box: Left, top, width, height in pixels of the frame. None: the whole picture.
        frame: Number in a sequence, for tracks.
    """

    path: Path
    person: str
    camera: str = ""
    split: str = ""
    box: Box | None = None
    frame: int = 0


@dataclass
class Listing:
    """Pictures with what they show.

    Args:
        layout: One of :data:`.layouts.LAYOUTS`.
        taken_for: How the pictures were understood, for the user.
        images: What was found.
        left_out: Files or lines that were not used, by the reason.
        notes: What the user should know.
        is_track: Whether the pictures of a person follow one another in time.
    """

    layout: str
    taken_for: str
    images: list[OwnImage] = field(default_factory=list)
    left_out: dict[str, list[str]] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)
    is_track: bool = False

    def leave_out(self, reason: str, names: Iterable[str]) -> None:
        """Remember what is not used; nothing is lost in silence."""
        found = list(names)
        if found:
            self.left_out.setdefault(reason, []).extend(found)

    def left_out_text(self) -> list[str]:
        """Return one line per reason."""
        return [
            f"{len(names)} left out, {reason}: {shorten(names)}"
            for reason, names in self.left_out.items()
        ]
