"""Put the records of several data sets side by side, in columns."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from mmreid_ext.datasets.checks.image_files import locate

from .read_set import SourceSet

Box = tuple[float, float, float, float]


@dataclass(frozen=True)
class PictureTable:
    """One row per listed picture; N rows.

    Args:
        paths: As the sets write them.
        files: Real paths, links resolved; None where there is no such file.
        boxes: Left, top, width, height, or None for all of the picture.
        people: Number of the person, shape (N,); -1 for those who stand for nobody in particular.
        names: What each person is called, by number.
        camids: Shape (N,), below 0: unknown.
        roles: ``'train'``, ``'query'``, ``'gallery'`` or ``''`` of each row, shape (N,).
        sets: Number of the data set, shape (N,).
        titles: What each data set is called, by number.
    """

    paths: list[str]
    files: list[str | None]
    boxes: list[Box | None]
    people: np.ndarray
    names: list[str]
    camids: np.ndarray
    roles: np.ndarray
    sets: np.ndarray
    titles: list[str]

    def __len__(self) -> int:
        return len(self.paths)

    @property
    def is_train(self) -> np.ndarray:
        """Mask (N,) of the training pictures."""
        return self.roles == "train"

    @property
    def is_test(self) -> np.ndarray:
        """Mask (N,) of queries and gallery."""
        return (self.roles == "query") | (self.roles == "gallery")

    def person(self, row: int) -> str:
        """Name of the person on a picture."""
        number = int(self.people[row])
        return self.names[number] if number >= 0 else "nobody"


def tabulate(sources: Sequence[SourceSet]) -> PictureTable:
    """Join the records of data sets; people of sets that number alike get one number."""
    records = [(number, r) for number, one in enumerate(sources) for r in one.records]
    numbers: dict[tuple, int] = {}
    names: list[str] = []
    people = np.empty(len(records), dtype=np.int64)
    for row, (number, record) in enumerate(records):
        source = sources[number]
        if record["pid"] in source.distractor_pids:
            people[row] = -1
            continue
        apart = source.numbered_apart and record["role"] != "train"
        person = numbers.setdefault((source.space, apart, record["pid"]), len(names))
        if person == len(names):
            names.append(str(record.get("pid_name", record["pid"])))
        people[row] = person
    paths = [record["img_path"] for _, record in records]
    return PictureTable(
        paths,
        locate(paths),
        [record.get("box") for _, record in records],
        people,
        names,
        np.array([record["camid"] for _, record in records], dtype=np.int64),
        np.array([record["role"] for _, record in records], dtype=np.str_),
        np.array([number for number, _ in records], dtype=np.int64),
        [source.title for source in sources],
    )
