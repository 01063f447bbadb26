"""A matrix of features that stays on disk, and reads like a tensor.

Shapes: N features, D numbers each.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, NoReturn

import numpy as np
import torch
from torch import Tensor

from mmreid_ext.array_files.npy import MappedArray

_FORGET_AFTER = 2**24
"""Bytes that are read before their pages are given back."""

_PAGE = 2**14
"""Bytes that the system may read for one row: a few pages of memory."""


class DiskFeatures:
    """Rows of several arrays, as one matrix of float32; slices and selections are read from disk.

    It has what ranking asks of a tensor: ``shape``, ``dtype``, ``device``, rows by a slice, by
    indices or by a mask, :meth:`split`. All of these read the rows and copy them.

    Args:
        parts: Arrays of shape (n, D), any floating type; n may differ.
        rows: Which rows of all are meant, in order. None: all.
        device: Where rows are put that are read.
        column: One more number for every row, (N,), in memory. None: there is none.
    """

    dtype = torch.float32
    ndim = 2
    is_sparse = False

    def __init__(
        self,
        parts: Sequence[MappedArray | np.ndarray],
        rows: range | np.ndarray | None = None,
        device: torch.device | str = "cpu",
        column: np.ndarray | None = None,
    ) -> None:
        self._parts, self.device = list(parts), torch.device(device)
        self._arrays = [p.array if isinstance(p, MappedArray) else p for p in self._parts]
        self._starts = np.cumsum([0, *map(len, self._arrays)])
        self._rows = range(int(self._starts[-1])) if rows is None else rows
        self._column, self._width = column, self._arrays[0].shape[1]
        self._read = 0

    def __len__(self) -> int:
        return len(self._rows)

    @property
    def shape(self) -> torch.Size:
        """(N, D)."""
        return torch.Size((len(self), self._width + (self._column is not None)))

    @property
    def nbytes(self) -> int:
        """Bytes that all rows would take in memory."""
        return 4 * len(self) * self.shape[1]

    def __getitem__(self, index: slice | Tensor) -> Tensor:
        """Read rows.

        Args:
            index: A slice, or indices (R,), or a mask (N,).

        Returns:
            float32, (R, D), a copy.
        """
        if isinstance(index, slice):
            return self._as_tensor(self._read_rows(self._rows[index]), index)
        wanted = index.cpu().numpy()
        if wanted.dtype == bool:
            wanted = np.flatnonzero(wanted)
        return self._as_tensor(self._read_rows(self._places(wanted)), wanted)

    def _places(self, rows: np.ndarray) -> np.ndarray:
        if isinstance(self._rows, range):
            return rows + self._rows.start
        return self._rows[rows]

    def _read_rows(self, rows: range | np.ndarray) -> np.ndarray:
        found = np.empty((len(rows), self._width), dtype=np.float32)
        step = max(_FORGET_AFTER // (4 * self._width), 1)
        if isinstance(rows, range) and rows.step == 1:
            for array, start in zip(self._arrays, self._starts.tolist(), strict=False):
                first, last = max(rows.start, start), min(rows.stop, start + len(array))
                for row in range(first, last, step):
                    part = array[row - start : min(row + step, last) - start]
                    found[row - rows.start : row - rows.start + len(part)] = part
                    self._count(part.nbytes)
        else:
            rows = np.asarray(rows, dtype=np.int64)
            owners = np.searchsorted(self._starts, rows, side="right") - 1
            for owner in np.unique(owners).tolist():
                mine = owners == owner
                found[mine] = self._arrays[owner][rows[mine] - self._starts[owner]]
            self._count(max(_PAGE * len(rows), found.nbytes))
        return found

    def _count(self, read: int) -> None:
        """Note bytes that were read, and give their pages back where there are many."""
        self._read += read
        if self._read > _FORGET_AFTER:
            self.forget()

    def _as_tensor(self, rows: np.ndarray, index: slice | np.ndarray) -> Tensor:
        if self._column is not None:
            rows = np.concatenate([rows, self._column[index, None]], axis=1, dtype=np.float32)
        return torch.from_numpy(rows).to(self.device)

    def with_column(self, values: np.ndarray) -> DiskFeatures:
        """Return the features with one more number each, (N,), as the last; nothing is read."""
        return DiskFeatures(self._parts, self._rows, self.device, values)

    def forget(self) -> None:
        """Give back the memory of what was read."""
        self._read = 0
        for part in self._parts:
            if isinstance(part, MappedArray):
                part.forget()

    def take(self, rows: np.ndarray) -> DiskFeatures:
        """Choose rows, (R,) indices or a mask (N,), without reading them."""
        rows = np.flatnonzero(rows) if rows.dtype == bool else rows.astype(np.int64)
        first = int(rows[0]) if len(rows) else 0
        chosen: range | np.ndarray = self._places(rows)
        if isinstance(self._rows, range) and np.array_equal(
            rows, np.arange(first, first + len(rows))
        ):
            chosen = self._rows[first : first + len(rows)]
        column = None if self._column is None else self._column[rows]
        return DiskFeatures(self._parts, chosen, self.device, column)

    def behind(self, first: Any) -> DiskFeatures:
        """Return the features with others, (M, D), before them; what is on disk stays there."""
        if not isinstance(first, DiskFeatures):
            first = DiskFeatures([first.float().cpu().numpy()])
        mine = np.asarray(self._rows, dtype=np.int64) + int(first._starts[-1])
        rows = np.concatenate([np.asarray(first._rows, dtype=np.int64), mine])
        return DiskFeatures([*first._parts, *self._parts], rows, self.device)

    def split(self, size: int) -> Iterator[Tensor]:
        """Read ``size`` rows after ``size`` rows."""
        return (self[start : start + size] for start in range(0, len(self), size))

    def load(self) -> Tensor:
        """Read all rows."""
        return self[:]

    def to(self, device: torch.device | str, dtype: torch.dtype | None = None) -> DiskFeatures:
        """Return the features for another device; they are float32, whatever is asked for."""
        return DiskFeatures(self._parts, self._rows, device, self._column)

    def detach(self) -> DiskFeatures:
        """Return the features themselves, as there is no gradient."""
        return self

    def new_empty(self, *shape: Any, dtype: torch.dtype = torch.float32) -> Tensor:
        """Return a tensor of the device, not filled."""
        return torch.empty(*shape, dtype=dtype, device=self.device)

    def numpy(self) -> NoReturn:
        """Refuse to become an array by accident: that would read everything."""
        raise TypeError("These features are on disk; load() reads all of them.")

    __array__ = numpy


Features = Tensor | DiskFeatures
"""Features in memory or on disk."""


def chosen_rows(feats: Any, rows: Tensor) -> Any:
    """Choose rows, indices or a mask; of features in memory neighbouring rows are no copy."""
    if isinstance(feats, DiskFeatures):
        return feats.take(rows.cpu().numpy())
    rows = rows.nonzero().flatten() if rows.dtype == torch.bool else rows
    if len(rows) and bool((rows.diff() == 1).all()):
        return feats[int(rows[0]) : int(rows[-1]) + 1]
    return feats[rows]


def strung(first: Any, second: Any) -> Any:
    """String two matrices together; without a copy where the second follows the first in memory."""
    if isinstance(second, DiskFeatures):
        return second.behind(first)
    if isinstance(first, Tensor) and _follows(first, second):
        return first.as_strided((len(first) + len(second), first.shape[1]), first.stride())
    return torch.cat([first, second])


def _follows(first: Tensor, second: Tensor) -> bool:
    """Whether one matrix begins where another ends, both of them row after row in one memory."""
    return (
        first.untyped_storage().data_ptr() == second.untyped_storage().data_ptr()
        and (first.dtype, first.shape[1]) == (second.dtype, second.shape[1])
        and first.is_contiguous()
        and second.is_contiguous()
        and first.storage_offset() + first.numel() == second.storage_offset()
    )


def in_memory(feats: Any, at_most: int | None = None) -> Any:
    """Read features from disk.

    Args:
        feats: Features; those in memory are returned themselves.
        at_most: Bytes above which they stay on disk. None: they are read.
    """
    if isinstance(feats, DiskFeatures) and (at_most is None or feats.nbytes <= at_most):
        return feats.load()
    return feats
