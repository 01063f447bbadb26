"""Say which images are queries and gallery, by loops over the images; sampled ones are checked."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from fuzz_parts.running import Mismatch


@dataclass(frozen=True)
class Picture:
    """One image of a test set.

    Attributes:
        row: Its row.
        pid: Identity.
        camera: Camera; below 0: unknown.
        role: ``query`` or ``gallery``.
        name: Its path.
        alone: Whether it is a distractor.
    """

    row: int
    pid: int
    camera: int
    role: str
    name: str
    alone: bool


@dataclass
class Expected:
    """One split as it must be.

    Attributes:
        query: Rows of the queries, in order.
        gallery: Rows that are in the gallery whatever is sampled.
        one_of: Rows of which exactly one is in the gallery, by identity.
        trial: Its trial.
        cameras: Whether the camera rule applies.
        each_alone: Whether only the image itself is excluded.
    """

    query: list[int]
    gallery: list[int]
    one_of: dict[int, list[int]]
    trial: int
    cameras: bool = False
    each_alone: bool = False


def with_role(pictures: Sequence[Picture], role: str) -> list[int]:
    """Return the rows of a role."""
    return [p.row for p in pictures if p.role == role]


def by_camera(pictures: Sequence[Picture], cameras: bool) -> list[Expected]:
    """Return the split of the camera protocol."""
    return [Expected(with_role(pictures, "query"), with_role(pictures, "gallery"), {}, 0, cameras)]


def by_itself(pictures: Sequence[Picture]) -> list[Expected]:
    """Return the split in which every image meets all others."""
    rows = [p.row for p in pictures if not p.alone]
    return [Expected(rows, rows, {}, 0, each_alone=True)]


def single_shot(pictures: Sequence[Picture], repeats: int) -> list[Expected]:
    """Return the splits of CUHK03's first protocol: one per trial and query camera."""
    asked = [p for p in pictures if p.role == "query"]
    found = []
    for trial in range(repeats):
        for camera in sorted({p.camera for p in asked}):
            there = [
                p
                for p in pictures
                if p.role == "gallery" and camera >= 0 and p.camera >= 0 and p.camera != camera
            ]
            found.append(
                Expected(
                    [p.row for p in asked if p.camera == camera],
                    [p.row for p in there if p.alone],
                    _by_identity([p for p in there if not p.alone]),
                    trial,
                )
            )
    return found


def _by_identity(pictures: Sequence[Picture]) -> dict[int, list[int]]:
    found: dict[int, list[int]] = {}
    for p in pictures:
        found.setdefault(p.pid, []).append(p.row)
    return found


def on_side(p: Picture, rule: dict[str, Any]) -> bool:
    """Whether an image is on a side."""
    return p.camera == rule["camid"] if "camid" in rule else p.role == rule["role"]


def paired(pictures: Sequence[Picture], content: dict[str, Any]) -> list[int]:
    """Return the identities of a split file that have an image on both sides, ascending."""
    people = sorted({p.pid for p in pictures if not p.alone})
    low, high = content.get("min_pid"), content.get("max_pid")
    found = []
    for pid in people:
        own = [p for p in pictures if p.pid == pid and not p.alone]
        if (low is not None and pid < low) or (high is not None and pid > high):
            continue
        if content.get("picks") is not None:
            fits = len(own) >= 2
        else:
            sides = [any(on_side(p, content[side]) for p in own) for side in ("query", "gallery")]
            fits = all(sides)
        if fits:
            found.append(pid)
    return found


def by_identities(
    pictures: Sequence[Picture], content: dict[str, Any], shots: int | None
) -> list[Expected]:
    """Return the splits of a file that lists identities for two sides."""
    pairs = paired(pictures, content)
    low, high = content.get("min_pid"), content.get("max_pid")
    found = []
    for trial, entries in enumerate(content["splits"]):
        test = {pairs[e] for e in entries} if content["by_position"] else set(entries)
        people = [p for p in pictures if not p.alone and p.pid in test]
        there = [p for p in people if on_side(p, content["gallery"])]
        others = [
            p.row
            for p in pictures
            if on_side(p, content["gallery"])
            and (
                p.alone or (low is not None and p.pid < low) or (high is not None and p.pid > high)
            )
        ]
        query = [p.row for p in people if on_side(p, content["query"])]
        one_of = _by_identity(there) if shots == 1 else {}
        kept = others + ([] if shots == 1 else [p.row for p in there])
        found.append(Expected(query, kept, one_of, trial))
    return found


def by_picks(
    pictures: Sequence[Picture], content: dict[str, Any], shots: int | None
) -> list[Expected]:
    """Return the splits of a file that picks images of identities by number."""
    pairs = paired(pictures, content)
    found = []
    for trial, entries in enumerate(content["splits"]):
        query, gallery = [], []
        for place, (first, second) in zip(entries, content["picks"][trial], strict=True):
            pid = pairs[place] if content["by_position"] else place
            own = [p for p in pictures if p.pid == pid and not p.alone]
            own.sort(key=lambda p: (p.camera, p.name))
            query.append(own.pop(first % len(own)).row)
            gallery += [own[second % len(own)].row] if shots == 1 else [p.row for p in own]
        found.append(Expected(query, gallery, {}, trial))
    return found


def check_splits(splits: Sequence[Any], expected: Sequence[Expected]) -> None:
    """Compare splits with what they must be."""
    if len(splits) != len(expected):
        raise Mismatch(f"{len(splits)} splits, by the oracle {len(expected)}")
    for number, (split, wanted) in enumerate(zip(splits, expected, strict=True)):
        query, gallery = split.query.tolist(), sorted(split.gallery.tolist())
        if query != wanted.query or split.trial != wanted.trial:
            raise Mismatch(f"split {number}: queries {query}, by the oracle {wanted.query}")
        for pid, rows in wanted.one_of.items():
            chosen = [row for row in gallery if row in rows]
            if len(chosen) != 1:
                raise Mismatch(f"split {number}: images {chosen} of identity {pid}, not one")
            gallery.remove(chosen[0])
        if gallery != sorted(wanted.gallery):
            raise Mismatch(f"split {number}: gallery {gallery}, by the oracle {wanted.gallery}")
