"""Check that a checkpoint file is whole, and read its header without loading its weights.

PyTorch writes a checksum of every part of its files and never reads one: a flipped bit becomes
another weight. Files of its old format, and files written with
``torch.serialization.set_crc32_options(False)``, carry no checksums and are not checked.
"""

from __future__ import annotations

import os
import pickle
import struct
import zipfile
import zlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import IO, Any, NamedTuple

from mmreid_ext.checkpoint.limits.declared_sizes import bytes_of, check_archive, check_old_format
from mmreid_ext.checkpoint.limits.inert_pickle import InertUnpickler
from mmreid_ext.errors import UserError

_ZIP = b"PK\x03\x04"
_CHUNK = 2**20

# What zipfile raises beside its own error, where a flipped bit means "encrypted" or "newer".
_SIGNS_OF_DAMAGE = (
    zipfile.BadZipFile,
    zlib.error,
    struct.error,
    EOFError,
    NotImplementedError,
    RuntimeError,
    ValueError,
)


class Header(NamedTuple):
    """The part of a checkpoint that says what it is.

    Attributes:
        keys: Its entries, such as ``state_dict`` and ``optimizer``.
        meta: Its ``meta``: iteration, epoch, time of saving and so on.
    """

    keys: frozenset[str]
    meta: Mapping[str, Any]


def verify(file: str | os.PathLike | IO[bytes]) -> int | None:
    """Compare a PyTorch file with what it declares, and every part of it with its checksum.

    Args:
        file: Path or binary file object; the object's position stays.

    Returns:
        Its bytes; None for a file object that can't be rewound.

    Raises:
        UserError: If the file is incomplete, if a part has changed since it was written, or if it
            says that it holds more than it can.
    """
    with _opened(file) as stream:
        if stream is None:
            return None
        size, start = bytes_of(stream), stream.tell()
        if stream.read(len(_ZIP)) != _ZIP:
            stream.seek(start)
            check_old_format(stream, name_of(file), size)
            return size
        try:
            with zipfile.ZipFile(stream) as archive:
                check_archive(archive, name_of(file), size)
                for entry in archive.infolist():
                    if entry.CRC:  # 0: written without checksums
                        _read_through(archive, entry)
            return size
        except UserError:
            raise
        except _SIGNS_OF_DAMAGE as error:
            raise UserError(
                f"{name_of(file)} is damaged or incomplete ({error}): take another copy of it, or "
                "an earlier checkpoint."
            ) from error


def read_header(path: str | os.PathLike) -> Header | None:
    """Read the header of a checkpoint; no weight is read, no code of the file is run.

    Args:
        path: A file in PyTorch's zip format.

    Returns:
        The header, or ``None`` if the file is no such checkpoint.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            check_archive(archive, os.fspath(path), os.path.getsize(path))
            (name,) = (n for n in archive.namelist() if n.endswith("/data.pkl"))
            with archive.open(name) as stream:
                content = InertUnpickler(stream).load()
    except (*_SIGNS_OF_DAMAGE, OSError, pickle.UnpicklingError, LookupError, TypeError):
        return None
    if not isinstance(content, dict):
        return None
    meta = content.get("meta")
    keys = frozenset(key for key in content if isinstance(key, str))
    return Header(keys, meta if isinstance(meta, dict) else {})


def name_of(file: Any) -> str:
    """Name a file for messages."""
    if isinstance(file, (str, os.PathLike)):
        return os.fspath(file)
    return str(getattr(file, "name", "the checkpoint (read from memory)"))


@contextmanager
def _opened(file: Any) -> Iterator[IO[bytes] | None]:
    """Open a path, or lend an object that can be rewound; None for one that can't."""
    if isinstance(file, (str, os.PathLike)):
        with open(file, "rb") as stream:
            yield stream
    elif hasattr(file, "seekable") and file.seekable():
        position = file.tell()
        try:
            yield file
        finally:
            file.seek(position)
    else:
        yield None


def _read_through(archive: zipfile.ZipFile, entry: zipfile.ZipInfo) -> None:
    with archive.open(entry) as part:  # raises at the end if the checksum is another
        while part.read(_CHUNK):
            pass
