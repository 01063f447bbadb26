"""Read ``.npz`` files as data: no Python objects, and no more than the file can hold.

An archive of a megabyte can declare arrays of gigabytes: deflated, or by the shape in the header of
an array that isn't there.
"""

from __future__ import annotations

import errno
import math
import os
import struct
import zipfile
import zlib
from typing import IO

import numpy as np

MOST_TIMES = 64
"""Text of fixed width is stored with four bytes a letter, and shrinks about as much."""

ROOM = 2**26
"""Bytes that any file may declare; no machine is hurt by 64 MiB."""

DAMAGE = (
    *(zipfile.BadZipFile, zlib.error, struct.error, EOFError, ValueError, SyntaxError),
    *(AttributeError, RuntimeError, KeyError, TypeError, MemoryError, OverflowError),
)
"""What NumPy and zipfile raise on damaged bytes; encrypted and newer archives are RuntimeErrors."""


class ArrayFileError(ValueError):
    """A file is no archive of plain arrays; the message says why, and doesn't name the file."""


def read_npz(path: str | os.PathLike) -> dict[str, np.ndarray]:
    """Read all arrays of a file that ``numpy.savez`` or ``savez_compressed`` wrote.

    Args:
        path: The file.

    Returns:
        The arrays by name.

    Raises:
        ArrayFileError: If it is another file, is damaged, holds Python objects, or declares more
            than 64 times its size.
        OSError: If it can't be opened.
    """
    with open(path, "rb") as file:
        size = os.fstat(file.fileno()).st_size
        try:
            with zipfile.ZipFile(file) as archive:
                declared = sum(entry.file_size for entry in archive.infolist())
                if declared > MOST_TIMES * size + ROOM:
                    raise ArrayFileError(
                        f"it would take {declared / 1e9:.2f} GB, and the file has {size:,} bytes: "
                        "damaged, or made to fill the memory"
                    )
                return {
                    entry.filename.removesuffix(".npy"): _read(archive, entry)
                    for entry in archive.infolist()
                }
        except ArrayFileError:
            raise
        except DAMAGE as error:
            raise ArrayFileError(str(error) or type(error).__name__) from error
        except OSError as error:
            if error.errno != errno.EINVAL:  # a place before the file's beginning
                raise
            raise ArrayFileError("a part of it lies outside the file") from error


def _read(archive: zipfile.ZipFile, entry: zipfile.ZipInfo) -> np.ndarray:
    with archive.open(entry) as part:
        if _declared_bytes(part) > entry.file_size - part.tell():
            raise ArrayFileError(f"the array {entry.filename} is shorter than it says")
    with archive.open(entry) as part:
        return np.lib.format.read_array(part, allow_pickle=False)


def _declared_bytes(part: IO[bytes]) -> int:
    shape, _, dtype = read_header(part)
    return math.prod(shape) * dtype.itemsize


def read_header(part: IO[bytes]) -> tuple[tuple[int, ...], bool, np.dtype]:
    """Read the beginning of a ``.npy`` file.

    Args:
        part: The file, at its beginning; afterwards at its data.

    Returns:
        Shape, whether it is stored column by column, and type.

    Raises:
        ArrayFileError: If it holds Python objects.
    """
    version = np.lib.format.read_magic(part)
    if version == (1, 0):
        shape, by_column, dtype = np.lib.format.read_array_header_1_0(part)
    else:  # 3.0 differs from 2.0 in the encoding of names of fields, which plain arrays don't have
        shape, by_column, dtype = np.lib.format.read_array_header_2_0(part)
    if dtype.hasobject:
        raise ArrayFileError("it holds Python objects, which are never loaded")
    return shape, by_column, dtype
