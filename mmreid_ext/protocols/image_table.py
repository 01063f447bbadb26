"""Say what the images of test sets show, row by row: identity, camera, role, test set, path."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

import numpy as np

from mmreid_ext.errors import UserError
from mmreid_ext.shorten import shorten

JUNK = -1
"""Identity of gallery images that take part in nothing."""

ROLES = ("query", "gallery")

_Table = TypeVar("_Table", bound="ImageColumns")


class ImageColumns:
    """Columns of a table with one row per image. Protocols read these and nothing else.

    Attributes:
        pids: Identities, shape (N,), int64; :data:`JUNK` for images that take part in nothing.
        camids: Cameras, shape (N,), int64; below 0: unknown.
        roles: ``'query'`` or ``'gallery'``, shape (N,), strings.
        datasets: Name of the test set, shape (N,), strings.
        names: Image path, shape (N,), strings. Empty strings where unknown.
        distractors: Whether the image shows "nobody of the queries", shape (N,), bool. Distractors
            share numbers, not identities: none of them is a match of anything.
    """

    pids: np.ndarray
    camids: np.ndarray
    roles: np.ndarray
    datasets: np.ndarray
    names: np.ndarray
    distractors: np.ndarray

    def check_columns(self, length: int, row: str = "image") -> None:
        """Convert the columns to arrays of their types.

        Args:
            length: Number of rows that each must have.
            row: What errors call a row.

        Raises:
            ValueError: If the rows don't correspond, labels aren't integers or a role is another
                word.
        """
        for field in ("pids", "camids"):
            values = np.asarray(getattr(self, field))
            if values.size and not np.issubdtype(values.dtype, np.integer):
                raise UserError(f"{field} must be integers, got {values.dtype}.")
            if values.size and values.max() > np.iinfo(np.int64).max:
                raise UserError(f"{field} has {values.max()}, which is no 64-bit integer.")
            setattr(self, field, values.astype(np.int64))
        for field in ("roles", "datasets", "names"):
            setattr(self, field, np.asarray(getattr(self, field), dtype=np.str_))
        marked = self.distractors
        self.distractors = np.asarray(np.zeros(length) if marked is None else marked, dtype=bool)
        for field in ("pids", "camids", "roles", "datasets", "names", "distractors"):
            shape = getattr(self, field).shape
            if shape != (length,):
                raise UserError(
                    f"{field} must have one entry per {row}, shape ({length},), got {shape}."
                )
        known = np.isin(self.roles, ROLES)
        if not known.all():
            unknown = set(self.roles[~known].tolist())
            found = map(repr, sorted(unknown))
            raise UserError(f"roles must be 'query' or 'gallery', got {shorten(found)}.")

    def mark_distractors(self, announced: Mapping[str, Mapping[str, Any]]) -> None:
        """Mark the images that the readers call distractors.

        Args:
            announced: ``metainfo['test_sets']``: by name of the test set, a dict that may hold
                ``distractor_pids``.
        """
        for name, metadata in announced.items():
            lone = np.isin(self.pids, list(metadata.get("distractor_pids", ())))
            self.distractors = self.distractors | ((self.datasets == name) & lone)

    def __len__(self) -> int:
        return len(self.pids)

    def take(self: _Table, rows: np.ndarray) -> _Table:
        """Return the given rows, in the given order."""
        raise NotImplementedError

    @property
    def title(self) -> str:
        """Names of the test sets, for messages."""
        return ", ".join(self.set_names()) or "(empty)"

    def set_names(self) -> list[str]:
        """Return the names of the test sets, in order of first appearance."""
        if len(self) and (self.datasets == self.datasets[0]).all():  # to sort text takes long
            return [str(self.datasets[0])]
        names, first = np.unique(self.datasets, return_index=True)
        return names[np.argsort(first)].tolist()

    def by_dataset(self: _Table) -> Iterator[tuple[str, _Table]]:
        """Yield every test set under its name, in order of first appearance."""
        for name in self.set_names():
            yield name, self.take(self.datasets == name)


@dataclass
class ImageTable(ImageColumns):
    """The images of test sets, without embeddings: what a reader asks a protocol with.

    Args:
        pids, camids, roles, datasets, names, distractors: See :class:`ImageColumns`; lists will do.
            ``distractors`` may be None: no image is one.

    Raises:
        ValueError: If the rows don't correspond, labels aren't integers or a role is another word.
    """

    pids: np.ndarray
    camids: np.ndarray
    roles: np.ndarray
    datasets: np.ndarray
    names: np.ndarray
    distractors: np.ndarray = None  # type: ignore[assignment]  # an array after __post_init__

    def __post_init__(self) -> None:
        self.check_columns(len(self.pids))

    def take(self, rows: np.ndarray | Sequence[int]) -> ImageTable:
        """Return the given rows (integer indices or a boolean mask), in the given order."""
        rows = np.asarray(rows)
        columns = (self.pids, self.camids, self.roles, self.datasets, self.names, self.distractors)
        return ImageTable(*(np.asarray(values)[rows] for values in columns))
