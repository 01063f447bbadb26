"""Result files that can't be written are found before the work, not after it."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

from mmreid_ext.errors import UserError
from mmreid_ext.shorten import one_line

_LONGEST_NAME = 120
"""Bytes; file systems allow 255, and suffixes follow."""


def require_writable(path: str | os.PathLike | None, option: str) -> None:
    """Check that a file can be written, as far as that can be known beforehand.

    Nothing is left behind: missing folders are not made, an existing file is not touched.

    Args:
        path: The file; None means that none is written.
        option: What the user gave it as, for the message: ``--out`` or ``save_features``.

    Raises:
        ValueError: If the path is a folder, a part of it is a file, or the folder is read-only.
    """
    if path is None:
        return
    fits = isinstance(path, (str, os.PathLike)) and is_path_text(str(path))
    if not fits or not os.fspath(path):
        raise UserError(f"{option}={one_line(path)!r} must be the path of a file.")
    file = Path(path)
    try:
        reason = _obstacle(file)
    except OSError as error:
        reason = error.strerror or str(error)
    if reason:
        raise UserError(f"{option}={str(path)!r} can't be written: {reason}; give another path.")


def plain_file_name(text: str) -> str:
    """Make the name of one file or folder of a text that a stranger may have written.

    ``market1501 (2)`` stays. Separators, control characters and dots in front become ``_``, and a
    long text is cut, so that the file can't lie elsewhere.
    """
    kept = "".join(c if c.isalnum() or c in " -_.()[],+=@" else "_" for c in text)
    kept = kept.encode()[:_LONGEST_NAME].decode(errors="ignore").strip()
    return f"_{kept[1:]}" if kept[:1] in ("", ".") else kept


def is_path_text(text: str) -> bool:
    """Whether a text can be a path and be printed; bytes of file names that aren't UTF-8 may be in.

    Not so are control characters and halves of surrogates.
    """
    return all(c.isprintable() or "\udc80" <= c <= "\udcff" for c in text)


def _obstacle(file: Path) -> str:
    if file.is_dir():
        return "it is a folder"
    folder = next(part for part in file.absolute().parents if part.exists())
    if not folder.is_dir():
        return f"{folder} is a file, not a folder"
    if file.exists() and not os.access(file, os.W_OK):
        return "the file is read-only"
    # To try is the only sure test: rights, read-only file systems, names that are too long.
    with tempfile.NamedTemporaryFile(dir=folder, prefix=f".{file.name}."):
        return ""
