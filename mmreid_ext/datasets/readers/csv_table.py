"""The rows of a CSV file, or an error that names the file, the line and the remedy."""

from __future__ import annotations

import csv
from collections.abc import Collection, Iterator, Sequence
from itertools import chain
from pathlib import Path
from typing import NamedTuple, Protocol

from mmreid_ext.errors import UserError
from mmreid_ext.shorten import brief, one_line, shorten
from mmreid_ext.suggest import did_you_mean

from .text_file import read_lines

# Spreadsheets write the list separator of the user's language; "Unicode text" has tabs.
_DELIMITERS = (",", ";", "\t")
_ZIP_MARK = b"PK\x03\x04"  # .xlsx and .ods are zip archives


class _Reader(Protocol):
    """What ``csv.reader`` returns; its own type has no public name."""

    line_num: int

    def __next__(self) -> list[str]: ...


class Row(NamedTuple):
    """One row of a table.

    Args:
        line: Line of the file on which the row ends, counted from 1.
        cells: Text of every column, without surrounding white space.
    """

    line: int
    cells: dict[str, str]


def read_table(
    path: Path,
    columns: Sequence[str],
    required: Collection[str],
    *,
    ignored: Collection[str] = (),
    encoding: str | None = None,
    wrong: list[str] | None = None,
) -> tuple[list[str], list[Row]]:
    """Read a CSV file into memory.

    Args: those of :func:`stream_table`.

    Returns:
        The names of the columns, and the rows.

    Raises:
        UserError: If the text, the header or a row can't be used.
    """
    names, rows = stream_table(
        path, columns, required, ignored=ignored, encoding=encoding, wrong=wrong
    )
    return names, [Row(line, dict(zip(names, cells, strict=True))) for line, cells in rows]


def stream_table(
    path: Path,
    columns: Sequence[str],
    required: Collection[str],
    *,
    ignored: Collection[str] = (),
    encoding: str | None = None,
    wrong: list[str] | None = None,
) -> tuple[list[str], Iterator[tuple[int, list[str]]]]:
    """Read a CSV file whose first line names its columns, a row at a time.

    Values may be separated by commas, semicolons or tabs; the header decides. Cells lose
    surrounding white space. Empty lines are skipped.

    Args:
        path: The file.
        columns: Names that a column may have.
        required: Those that must be there.
        ignored: Names of further columns, which are left out.
        encoding: Encoding of the file. None: UTF-8, or UTF-16 if the file begins with its mark.
        wrong: Takes a message for each unknown column and each row with too many or too few values;
            they are left out. None: the first one is an error.

    Returns:
        The names of the columns in the order of the file, without ``ignored``, and an iterator: the
        line on which each row ends, and its cells in that order.

    Raises:
        UserError: If the text, the header or a row can't be used; of a row, when it is reached.
    """
    with open(path, "rb") as file:
        if file.read(len(_ZIP_MARK)) == _ZIP_MARK:
            raise UserError(
                f"{path} is a spreadsheet or an archive, not a CSV file: save it as CSV."
            )
    text = read_lines(path, encoding)
    first = next(text, "")
    delimiter = _delimiter(first, required)
    reader = csv.reader(chain([first], text), delimiter=delimiter, strict=True)
    lines = _lines(reader, path)
    _, header = next(lines, (1, []))
    if wrong is not None and set(required) <= set(header):
        ignored = [*ignored, *_unknown(header, columns, ignored, path, wrong)]
    _check_header(header, columns, required, ignored, path)
    kept = [place for place, name in enumerate(header) if name not in ignored]
    rows = _whole_rows(lines, path, len(header), delimiter, wrong)
    if len(kept) < len(header):
        rows = ((line, [cells[place] for place in kept]) for line, cells in rows)
    return [header[place] for place in kept], rows


def _whole_rows(
    lines: Iterator[tuple[int, list[str]]],
    path: Path,
    width: int,
    delimiter: str,
    wrong: list[str] | None,
) -> Iterator[tuple[int, list[str]]]:
    """Yield the rows that have a value for every column."""
    for line, cells in lines:
        if len(cells) == width:
            yield line, cells
            continue
        more = "more" if len(cells) > width else "fewer"
        message = (
            f"{path}, line {line}: {more} values than columns ({len(cells)}, not "
            f"{width}). Quote values that hold {delimiter!r}; leave unknown values empty."
        )
        if wrong is None:
            raise UserError(message)
        wrong.append(message)


def _unknown(
    header: list[str],
    columns: Sequence[str],
    ignored: Collection[str],
    path: Path,
    wrong: list[str],
) -> list[str]:
    unknown = [name for name in header if name not in {*columns, *ignored}]
    wrong += [
        f"{path} has an unknown column {brief(n)}{did_you_mean(n, columns)}." for n in unknown
    ]
    return unknown


def _delimiter(header: str, required: Collection[str]) -> str:
    """The separator with which the first line holds most of the required names."""

    def found(delimiter: str) -> int:
        return len(set(required) & {cell.strip(' "\r\n') for cell in header.split(delimiter)})

    return max(_DELIMITERS, key=found)


def _lines(reader: _Reader, path: Path) -> Iterator[tuple[int, list[str]]]:
    """Yield the number and the stripped cells of every line that is not empty."""
    before = 0
    while True:
        try:
            cells = next(reader, None)
        except csv.Error as error:
            raise UserError(
                f'{path}, line {reader.line_num}: {error}. Is a quote (") not closed, or alone? '
                'Inside a quoted value it is written "".'
            ) from None
        if cells is None:
            return
        before, read = reader.line_num, reader.line_num - before
        if read > 1:
            raise UserError(
                f"{path}, line {reader.line_num}: a value goes on over the end of its line. Is a "
                'quote (") not closed?'
            )
        cells = list(map(str.strip, cells))
        if any(cells):
            yield reader.line_num, cells


def _check_header(
    header: list[str],
    columns: Sequence[str],
    required: Collection[str],
    ignored: Collection[str],
    path: Path,
) -> None:
    expected = f"The first line names the columns: {','.join(columns)}."
    missing = [name for name in columns if name in required and name not in header]
    shown = f"[{shorten([repr(one_line(name)) for name in header], shown=20)}]"
    if len(missing) == len(required):  # another kind of file, or no header at all
        raise UserError(f"{path} has the columns {shown}; {missing} missing. {expected}")
    for name in header:
        if name in columns or name in ignored:
            continue
        raise UserError(
            f"{path} has an unknown column {brief(name)}{did_you_mean(name, columns)}. Rename or "
            f"remove it, or leave it out with ignore_columns=[{brief(name)}]. {expected}"
        )
    if missing:
        raise UserError(f"{path} has the columns {shown}; {missing} missing. {expected}")
    twice = sorted({name for name in header if header.count(name) > 1})
    if twice:
        raise UserError(f"{path} has the columns {twice} more than once. Keep one of each.")
