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


def verify(file: str | os.PathLike | IO[bytes]) -> None:
    """Compare every part of a PyTorch file with its checksum.

    Args:
        file: Path or binary file object; the object's position stays.

    Raises:
        UserError: If the file is incomplete, or if a part has changed since it was written.
    """
    with _opened(file) as stream:
        if stream is None or stream.read(len(_ZIP)) != _ZIP:
            return
        try:
            with zipfile.ZipFile(stream) as archive:
                for entry in archive.infolist():
                    if entry.CRC:  # 0: written without checksums
                        _read_through(archive, entry)
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
            (name,) = (n for n in archive.namelist() if n.endswith("/data.pkl"))
            with archive.open(name) as stream:
                content = _HeaderUnpickler(stream).load()
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


class _Nothing(dict):
    """Stands for every object of a checkpoint that is no plain value."""

    def __init__(self, *_: Any, **__: Any) -> None:
        super().__init__()

    __hash__ = object.__hash__  # type: ignore[assignment]

    def __setstate__(self, state: Any) -> None:
        pass

    def append(self, item: Any) -> None:
        """Take an item of what was a list."""

    def extend(self, items: Any) -> None:
        """Take items of what was a list."""

    def add(self, item: Any) -> None:
        """Take an item of what was a set."""


class _HeaderUnpickler(pickle.Unpickler):
    """Unpickler that finds nothing but :class:`_Nothing`, whatever the file asks for."""

    def find_class(self, module: str, name: str) -> Any:
        return _Nothing

    def persistent_load(self, pid: Any) -> None:
        return None
