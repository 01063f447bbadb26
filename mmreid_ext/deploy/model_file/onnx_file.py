"""Read metadata and external files of an ONNX file, without ONNX: its few fields that we need.

An ONNX file is a protobuf message: fields, each a key (number and wire type) and a value. Whatever
isn't asked for is passed over, so a file of gigabytes takes milliseconds.
"""

from __future__ import annotations

import mmap
from collections.abc import Iterator
from pathlib import Path

_METADATA, _ENTRY_KEY, _ENTRY_VALUE = 14, 1, 2
_VARINT, _FIXED64, _LENGTH, _FIXED32 = 0, 1, 2, 5
_NO_ONNX = "it is no ONNX file, or a damaged one"

_INSIDE: dict[str, dict[int, str]] = {
    "model": {7: "graph", 20: "training", 25: "function"},
    "training": {1: "graph", 2: "graph"},
    "function": {7: "node"},
    "graph": {1: "node", 5: "tensor", 15: "sparse"},
    "node": {5: "attribute"},
    "attribute": {5: "tensor", 6: "graph", 10: "tensor", 11: "graph", 22: "sparse", 23: "sparse"},
    "sparse": {1: "tensor", 2: "tensor"},
    "tensor": {13: "entry"},
}
"""Numbers of the fields on the way to ``TensorProto.external_data``."""

_DEPTH = 40

Span = tuple[int, int]


def onnx_metadata(file: Path, key: str, longest: int) -> str | None:
    """Return an entry of ``metadata_props``; None if the file has none of that name.

    Args:
        file: The ``.onnx`` file.
        key: Name of the entry.
        longest: Bytes of the longest entry that is read.

    Raises:
        OSError: If it is no ONNX file, or the entry is longer.
    """
    with _opened(file) as content:
        for number, span in _fields(content, (0, len(content))):
            if number != _METADATA or span is None:
                continue
            entry = _entry(content, span, longest)
            if entry is not None and entry[0] == key:
                return entry[1]
    return None


def external_files(file: Path) -> list[str]:
    """Return the names of other files in which an ONNX file keeps weights, as it writes them.

    Raises:
        OSError: If it is no ONNX file.
    """
    with _opened(file) as content:
        found = _locations(content, (0, len(content)), "model", _DEPTH)
        return sorted(set(found))


def _opened(file: Path) -> mmap.mmap:
    with file.open("rb") as opened:
        try:
            return mmap.mmap(opened.fileno(), 0, access=mmap.ACCESS_READ)
        except ValueError:
            raise OSError("the file is empty") from None


def _locations(content: mmap.mmap, message: Span, kind: str, depth: int) -> Iterator[str]:
    if depth == 0:
        raise OSError(_NO_ONNX)
    for number, span in _fields(content, message):
        inner = _INSIDE[kind].get(number)
        if inner is None or span is None:
            continue
        if inner != "entry":
            yield from _locations(content, span, inner, depth - 1)
            continue
        entry = _entry(content, span, longest=1 << 16)
        if entry is not None and entry[0] == "location":
            yield entry[1]


def _entry(content: mmap.mmap, message: Span, longest: int) -> tuple[str, str] | None:
    """Read a pair of texts, key and value."""
    texts = {_ENTRY_KEY: "", _ENTRY_VALUE: ""}
    for number, span in _fields(content, message):
        if number in texts and span is not None:
            if span[1] - span[0] > longest:
                raise OSError(f"its record is longer than {longest:,} bytes")
            try:
                texts[number] = content[span[0] : span[1]].decode()
            except UnicodeDecodeError:
                return None
    return texts[_ENTRY_KEY], texts[_ENTRY_VALUE]


def _fields(content: mmap.mmap, message: Span) -> Iterator[tuple[int, Span | None]]:
    """Yield number and place of each field of a message; no place for numbers."""
    position, end = message
    while position < end:
        key, position = _varint(content, position, end)
        number, wire = key >> 3, key & 7
        span = None
        if wire == _VARINT:
            _, position = _varint(content, position, end)
        elif wire == _LENGTH:
            length, position = _varint(content, position, end)
            span = position, position + length
            position += length
        elif wire in (_FIXED64, _FIXED32):
            position += 8 if wire == _FIXED64 else 4
        else:
            raise OSError(_NO_ONNX)
        if position > end or number == 0:
            raise OSError(_NO_ONNX)
        yield number, span


def _varint(content: mmap.mmap, position: int, end: int) -> tuple[int, int]:
    value = 0
    for shift in range(0, 70, 7):
        if position >= end:
            break
        byte = content[position]
        position += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value, position
    raise OSError(_NO_ONNX)
