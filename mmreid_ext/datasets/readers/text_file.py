"""The text of a list, or an error that names the file, the line and the remedy."""

from __future__ import annotations

import codecs
from collections.abc import Iterator
from pathlib import Path

from mmreid_ext.errors import UserError

_UTF16_MARKS = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)


def read_lines(path: Path, encoding: str | None = None) -> Iterator[str]:
    """Read a text file line by line; line ends are kept.

    Args:
        path: The file.
        encoding: As of :func:`read_text`.

    Raises:
        UserError: As of :func:`read_text`, when the wrong place is reached.
    """
    if encoding is None:
        with open(path, "rb") as file:
            encoding = "utf-16" if file.read(2) in _UTF16_MARKS else "utf-8-sig"
    try:
        with open(path, encoding=encoding, newline="") as file:
            for line in file:
                if "\0" in line:
                    break
                yield line
            else:
                return
    except (LookupError, UnicodeError):
        pass
    read_text(path, encoding)  # says what is wrong, and in which line


def read_text(path: Path, encoding: str | None = None) -> str:
    """Read a text file; line ends are kept.

    Args:
        path: The file.
        encoding: Its encoding. None: UTF-8, or UTF-16 if the file begins with its mark.

    Raises:
        UserError: If the file is not in that encoding.
    """
    content = path.read_bytes()
    if encoding is None:
        encoding = "utf-16" if content.startswith(_UTF16_MARKS) else "utf-8-sig"
    try:
        text = content.decode(encoding)
    except LookupError:
        raise UserError(f"{path}: encoding={encoding!r} is not known to Python.") from None
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise UserError(
            f"{path}, line {line}: byte 0x{content[error.start]:02x} is not "
            f"{encoding.removesuffix('-sig')}. Save the file as UTF-8, or name its encoding where "
            "the reader has the option encoding='cp1252'."
        ) from None
    if "\0" in text:
        line = text.count("\n", 0, text.index("\0")) + 1
        raise UserError(
            f"{path}, line {line}: there is a zero byte, so this is no text in {encoding}. Save "
            "the file as UTF-8."
        )
    return text
