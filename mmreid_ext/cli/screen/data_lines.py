"""Say in a line what a data set holds."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from mmreid_ext.datasets.wrappers import unwrapped
from mmreid_ext.shorten import shorten

MOST_SETS = 3
"""Test sets with a line of their own; the start has room for no more."""


MOST_SOURCES = 2
"""Data sets whose names are in the line of the training images."""


def train_line(dataset: Any) -> str:
    """Describe training images: how many, of how many people, cameras and domains."""
    reader = unwrapped(dataset)
    counts = [_count(len(dataset), "image")]
    if (people := getattr(reader, "num_classes", None)) is not None:
        counts.append(_count(people, "person", "people"))
    cameras = known(getattr(reader, "camids", ()))
    counts.append(_count(cameras, "camera") if cameras else "cameras unknown")
    if (domains := getattr(reader, "num_domains", 1)) > 1:
        counts.append(_count(domains, "domain"))
    sources = [source.name for source in getattr(reader, "sources", ())]
    name = getattr(reader, "name", type(reader).__name__)
    if len(sources) > MOST_SOURCES:
        name = f"{len(sources)} data sets"
    return f"{name}: {', '.join(counts)}"


def test_lines(loader: Any) -> list[str]:
    """Describe the test sets of a loader, each in a line; several more in one.

    Args:
        loader: The loader; None where nothing is evaluated.
    """
    if loader is None:
        return ["none, so nothing is evaluated during the training"]
    reader = unwrapped(loader.dataset)
    if not hasattr(reader, "image_table"):
        return [_count(len(loader.dataset), "image")]
    images = reader.image_table()
    lines = [_test_line(images, name) for name in images.set_names()]
    if len(lines) <= MOST_SETS:
        return lines
    return [f"{len(lines)} sets: {shorten(images.set_names())}; {_count(len(reader), 'image')}"]


def _test_line(images: Any, name: str) -> str:
    rows = images.datasets == name
    queries = int((images.roles[rows] == "query").sum())
    counts = [
        f"{queries:,} {'query' if queries == 1 else 'queries'}",
        f"{int(rows.sum()) - queries:,} gallery images",
        _count(known(images.pids[rows]), "person", "people"),
    ]
    cameras = known(images.camids[rows])
    counts.append(_count(cameras, "camera") if cameras else "cameras unknown")
    return f"{name}: {', '.join(counts)}"


def known(numbers: Sequence[int] | np.ndarray) -> int:
    """Count distinct numbers that aren't negative, as unknown ones are."""
    distinct = np.unique(np.asarray(numbers, dtype=np.int64))
    return int((distinct >= 0).sum())


def _count(number: int, one: str, several: str | None = None) -> str:
    return f"{number:,} {one if number == 1 else several or one + 's'}"
