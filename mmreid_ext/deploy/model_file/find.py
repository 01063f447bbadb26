"""Find the record of an exported model: in the file, by its kind, and beside it."""

from __future__ import annotations

from pathlib import Path

from mmreid_ext.errors import UserError

from .onnx_file import onnx_metadata
from .openvino_file import openvino_metadata
from .torchscript_file import torchscript_metadata

KEY = "mmreid_ext"
"""Name of the record inside a file."""

LONGEST = 1 << 20
"""Bytes of a record; ours have about a thousand."""

READERS = {
    ".onnx": onnx_metadata,
    ".xml": openvino_metadata,
    ".torchscript": torchscript_metadata,
    ".pt": torchscript_metadata,
}
SUFFIXES = tuple(READERS)
"""Names of exported files end like this."""


def embedded_record(file: Path) -> str | None:
    """Return the text of the record inside a file; None if it holds none.

    Raises:
        UserError: If it is no file of the kind that its name says, or the record is too long.
    """
    read = READERS.get(file.suffix.lower())
    if read is None:
        raise UserError(
            f"{file} is no exported model: its name must end in {', '.join(SUFFIXES[:-1])} or "
            f"{SUFFIXES[-1]}; export a checkpoint with python tools/export.py."
        )
    try:
        return read(file, KEY, LONGEST)
    except OSError as error:
        raise UserError(f"{file} can't be read: {error}.") from error


def record_beside(file: Path) -> str | None:
    """Return the text of the record beside a file, ``model.onnx.json``; None without one."""
    path = file.with_name(f"{file.name}.json")
    if not path.is_file():
        return None
    try:
        with path.open("rb") as opened:
            content = opened.read(LONGEST + 1)
        if len(content) > LONGEST:
            raise UserError(f"{path} is longer than {LONGEST:,} bytes; export the model again.")
        return content.decode()
    except (OSError, UnicodeDecodeError) as error:
        raise UserError(f"{path} can't be read: {error}; delete it, or export again.") from error
