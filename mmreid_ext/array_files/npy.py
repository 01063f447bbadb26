"""Map ``.npy`` files into memory as data: no Python objects, and what the header says is there."""

from __future__ import annotations

import math
import mmap
import os
import stat

import numpy as np

from .npz import DAMAGE, ArrayFileError, read_header

_DROPPED = getattr(mmap, "MADV_DONTNEED", None)


class MappedArray:
    """An array that stays in its file; what is read of it can be forgotten again.

    The file must not be cut off while it is in use.

    Args:
        path: A file that ``numpy.save`` wrote.

    Attributes:
        array: The array, read-only.

    Raises:
        ArrayFileError: If it is another file, holds Python objects, or is longer or shorter than
            its header says.
        OSError: If it can't be opened.
    """

    def __init__(self, path: str | os.PathLike) -> None:
        if not stat.S_ISREG(os.stat(path).st_mode):
            raise ArrayFileError("it is no regular file")
        self._map: mmap.mmap | None = None
        try:
            self.array = self._mapped(path)
        except ArrayFileError:
            raise
        except DAMAGE as error:
            raise ArrayFileError(str(error) or type(error).__name__) from error

    def _mapped(self, path: str | os.PathLike) -> np.ndarray:
        with open(path, "rb") as file:
            shape, by_column, dtype = read_header(file)
            start, size = file.tell(), os.fstat(file.fileno()).st_size
            declared = math.prod(shape) * dtype.itemsize
            if min(shape, default=0) < 0 or not dtype.itemsize or declared != size - start:
                raise ArrayFileError(
                    f"its header says {dtype} of shape {shape}, and {max(size - start, 0):,} bytes "
                    "follow: it is damaged, or another file"
                )
            if not declared:
                return np.zeros(shape, dtype)
            self._map = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
        flat = np.frombuffer(self._map, dtype, math.prod(shape), start)
        return flat.reshape(shape, order="F" if by_column else "C")

    def forget(self) -> None:
        """Give back the memory of what was read, where the system can; it can be read again."""
        if self._map is not None and _DROPPED is not None:
            self._map.madvise(_DROPPED)
