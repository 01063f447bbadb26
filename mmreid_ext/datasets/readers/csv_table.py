"""The rows of a CSV file, or an error that names the file, the line and the remedy."""

from __future__ import annotations

import csv
import io
from collections.abc import Collection, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple, Protocol

from mmreid_ext.errors import UserError
from mmreid_ext.suggest import did_you_mean

from .text_file import read_text

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
    """Read a CSV file whose first line names its columns.

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
        The names of the columns in the order of the file, without ``ignored``, and the rows.

    Raises:
        UserError: If the text, the header or a row can't be used.
    """
    with open(path, "rb") as file:
        if file.read(len(_ZIP_MARK)) == _ZIP_MARK:
            raise UserError(
                f"{path} is a spreadsheet or an archive, not a CSV file: save it as CSV."
            )
    text = read_text(path, encoding)
    delimiter = _delimiter(text, required)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    lines = _lines(reader, path)
    _, header = next(lines, (1, []))
    if wrong is not None and set(required) <= set(header):
        ignored = [*ignored, *_unknown(header, columns, ignored, path, wrong)]
    _check_header(header, columns, required, ignored, path)
    kept = [name for name in header if name not in ignored]
    rows = []
    for line, cells in lines:
        if len(cells) != len(header):
            more = "more" if len(cells) > len(header) else "fewer"
            message = (
                f"{path}, line {line}: {more} values than columns ({len(cells)}, not "
                f"{len(header)}). Quote values that hold {delimiter!r}; leave unknown values empty."
            )
            if wrong is None:
                raise UserError(message)
            wrong.append(message)
            continue
        named = dict(zip(header, cells, strict=True))
        rows.append(Row(line, {name: named[name] for name in kept}))
    return kept, rows


def _unknown(
    header: list[str],
    columns: Sequence[str],
    ignored: Collection[str],
    path: Path,
    wrong: list[str],
) -> list[str]:
    unknown = [name for name in header if name not in {*columns, *ignored}]
    wrong += [f"{path} has an unknown column {n!r}{did_you_mean(n, columns)}." for n in unknown]
    return unknown


def _delimiter(text: str, required: Collection[str]) -> str:
    """The separator with which the first line holds most of the required names."""
    header = text.split("\n", 1)[0]

    def found(delimiter: str) -> int:
        return len(set(required) & {cell.strip(' "\r') for cell in header.split(delimiter)})

    return max(_DELIMITERS, key=found)


def _lines(reader: _Reader, path: Path) -> Iterator[tuple[int, list[str]]]:
    """Yield the number and the stripped cells of every line that is not empty."""
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
        if any("\n" in cell or "\r" in cell for cell in cells):
            raise UserError(
                f"{path}, line {reader.line_num}: a value goes on over the end of its line. Is a "
                'quote (") not closed?'
            )
        cells = [cell.strip() for cell in cells]
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
    if len(missing) == len(required):  # another kind of file, or no header at all
        raise UserError(f"{path} has the columns {header}; {missing} missing. {expected}")
    for name in header:
        if name in columns or name in ignored:
            continue
        raise UserError(
            f"{path} has an unknown column {name!r}{did_you_mean(name, columns)}. Rename or remove "
            f"it, or leave it out with ignore_columns=[{name!r}]. {expected}"
        )
    if missing:
        raise UserError(f"{path} has the columns {header}; {missing} missing. {expected}")
    twice = sorted({name for name in header if header.count(name) > 1})
    if twice:
        raise UserError(f"{path} has the columns {twice} more than once. Keep one of each.")
