"""Compare what a checkpoint file says that it holds with its size, before anything is allocated.

A file of a kilobyte can declare a tensor of gigabytes: as a deflated archive, as storage that isn't
there, as ``bytearray(2**32)``, as one number repeated by a stride of zero.
"""

from __future__ import annotations

import io
import os
import re
import zipfile
from collections.abc import Iterable, Mapping
from typing import IO, Any

import torch

from mmreid_ext.errors import UserError
from mmreid_ext.version import torch_is_at_least

from .inert_pickle import InertUnpickler

MOST_TIMES = 8
"""Honest files are stored as they are; some are deflated, which hardly shrinks weights."""

ROOM = 2**26
"""Bytes that any file may declare; no machine is hurt by 64 MiB."""

CHECKED_BY_PYTORCH = torch_is_at_least(2, 6)
"""Whether PyTorch compares a storage with its part itself: 2.1 doesn't, 2.11 does."""

_BYTEARRAY = re.compile(rb"c(__builtin__|builtins)\nbytearray\n")
_SIGNS_OF_CODE = ("constants.pkl", "code/")  # parts of a TorchScript archive
_TAR_AT, _TAR = 257, b"ustar"
_OLD_FORMAT_PICKLES = 4  # magic number, protocol, machine, content


def check_archive(archive: zipfile.ZipFile, name: str, size: int) -> None:
    """Check PyTorch's zip format.

    Args:
        archive: The file, opened.
        name: Its name, for messages.
        size: Its bytes.

    Raises:
        UserError: If it is a TorchScript archive, or declares more than it can hold.
    """
    entries = archive.infolist()
    inner = [entry.filename.partition("/")[2] for entry in entries]
    if any(part.startswith(_SIGNS_OF_CODE) for part in inner):
        raise UserError(
            f"{name} is a TorchScript archive, a program and no checkpoint. Save the weights where "
            "it was made: torch.save(module.state_dict(), path)."
        )
    _require(sum(entry.file_size for entry in entries), size, name, "its parts")
    for entry, part in zip(entries, inner, strict=True):
        if part == "data.pkl":
            with archive.open(entry) as stream:
                if not entry.CRC:  # written without checksums
                    stream._expected_crc = None  # type: ignore[attr-defined]
                content = stream.read()
            _check_pickle(content, name)
            if not CHECKED_BY_PYTORCH:
                parts = {p: e.file_size for p, e in zip(inner, entries, strict=True)}
                check_storages(content, parts, name)


def check_storages(content: bytes, parts: Mapping[str, int], name: str) -> None:
    """Check that no storage is longer than the part of the archive that holds it.

    PyTorch 2.1 takes the number of elements from the pickle and reads beyond the part's end.

    Args:
        content: The archive's pickle.
        parts: Bytes of each part, by its name.
        name: Name of the file, for messages.

    Raises:
        UserError: If a storage is longer.
    """
    reader = InertUnpickler(io.BytesIO(content))
    try:
        reader.load()
    # No pickle of a checkpoint: PyTorch says what is wrong with it.
    except Exception:  # noqa: BLE001
        return
    for key, declared in reader.bytes.items():
        there = parts.get(f"data/{key}", declared)
        if declared > there:
            raise UserError(
                f"{name} is damaged or incomplete: a storage of {declared:,} bytes stands in a "
                f"part of {there:,} bytes."
            )


def check_old_format(stream: IO[bytes], name: str, size: int) -> None:
    """Check PyTorch's format before 1.6: pickles, then the bytes of the storages.

    Args:
        stream: The file, at its beginning.
        name: Its name, for messages.
        size: Its bytes.

    Raises:
        UserError: If it is a tar archive, or declares more than it can hold.
    """
    start = stream.tell()
    if stream.read(_TAR_AT + len(_TAR))[_TAR_AT:] == _TAR:
        raise UserError(
            f"{name} is a tar archive, as PyTorch 0.1 wrote them. If you trust its author, load "
            "and save it with PyTorch 2.5: torch.save(torch.load(path, weights_only=False), path)."
        )
    stream.seek(start)
    reader = InertUnpickler(stream)
    try:
        for _ in range(_OLD_FORMAT_PICKLES):
            reader.load()
    # No pickle, or none of this format: PyTorch says what is wrong with it.
    except Exception:  # noqa: BLE001
        return
    finally:
        end = stream.tell()
        stream.seek(start)
    _require(sum(reader.storages.values()), size, name, "its storages")
    _check_pickle(stream.read(end - start), name)


def check_content(loaded: Any, name: str, size: int) -> None:
    """Check a loaded checkpoint: one number can stand for a billion, one list for as many.

    Args:
        loaded: What PyTorch read.
        name: Name of the file, for messages.
        size: Its bytes.

    Raises:
        UserError: If a tensor has more elements than the file could hold, or the containers, each
            counted wherever it stands, more entries.
    """

    def entries(value: Any) -> int:
        if isinstance(value, torch.Tensor):
            _require(value.numel() * value.element_size(), size, name, "one tensor")
        if not isinstance(value, (Mapping, list, tuple)):
            return 1
        if id(value) not in counted:
            counted[id(value)] = MOST_TIMES * size + ROOM + 1  # for one that holds itself
            inner: Iterable[Any] = value.values() if isinstance(value, Mapping) else value
            counted[id(value)] = 1 + sum(map(entries, inner))
        return counted[id(value)]

    counted: dict[int, int] = {}
    _require(entries(loaded), size, name, "its lists")


def _check_pickle(content: bytes, name: str) -> None:
    if _BYTEARRAY.search(content):
        raise UserError(
            f"{name} was refused: it holds a bytearray, whose length is all that the file needs to "
            "say. Store bytes or a tensor instead."
        )


def _require(declared: int, size: int, name: str, what: str) -> None:
    if declared > MOST_TIMES * size + ROOM:
        raise UserError(
            f"{name} was refused: {what} would take {declared / 1e9:.2f} GB, and the file has "
            f"{size:,} bytes. It is damaged, or made to fill the memory."
        )


def bytes_of(stream: IO[bytes]) -> int:
    """Return the bytes of a file that can be rewound; its position stays."""
    position = stream.tell()
    size = stream.seek(0, os.SEEK_END)
    stream.seek(position)
    return size
