"""Read the values that a training has logged, from the JSON lines in its work folder."""

from __future__ import annotations

import math
import os
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from mmreid_ext.errors import MissingFileError, UserError
from mmreid_ext.json_values import read_json
from mmreid_ext.shorten import one_line

FILE = "scalars.json"
_AXES = {"step", "iter", "epoch"}
_OF_BOTH = {"time", "data_time", "memory"}
"""Logged by trainings and by validations under one name; that of the training is taken."""

_Line = dict[str, Any]


class Series(NamedTuple):
    """One logged value over a training.

    Attributes:
        at: Where on the axis, (N,), rising.
        values: Shape (N,), float64; may hold NaN.
    """

    at: np.ndarray
    values: np.ndarray


class RunLog(NamedTuple):
    """The values of one training.

    Attributes:
        name: Of its folder.
        series: By the name of the value, in the order in which names appear.
        axis: ``'iteration'``, or ``'epoch'`` where the training counts epochs.
        unreadable: Lines that are no JSON: a killed process or a full disk leaves them.
    """

    name: str
    series: dict[str, Series]
    axis: str
    unreadable: int


def read_run_log(run: str | os.PathLike) -> RunLog:
    """Read all values of a run, those of its resumed parts included.

    A work folder holds a log for each start. Each continues where it begins: what earlier ones have
    from there on was done again, and is left out. Starts without a training line (tests) are left
    out where others have some.

    In a training by epochs, the iterations of an epoch are taken from the last training line that
    is furthest into its epoch. That is exact where the last iteration of an epoch is logged.

    Args:
        run: Work folder, log folder (``TIME``), or a file ``scalars.json``.

    Returns:
        The values. Nothing but numbers is in them.

    Raises:
        MissingFileError: If the folder has no such file.
        UserError: If no line of it can be read.
    """
    path = Path(run)
    files = scalar_files(path)
    starts, unreadable = [], 0
    for file in files:
        lines, lost = _lines_of(file)
        starts.append(lines)
        unreadable += lost
    trained = [lines for lines in starts if any(map(_is_training, lines))]
    starts = [lines for lines in trained or starts if lines]
    if not starts:
        raise UserError(
            f"{one_line(path)}: its {FILE} has no line with numbers and a 'step'; give the work "
            "folder of a training that has logged."
        )
    length = _iterations_per_epoch(line for lines in starts for line in lines)
    placed: list[tuple[float, _Line]] = []
    for lines in starts:
        found = [(_place(line, length), line) for line in lines]
        begin = min(at for at, _ in found)
        placed = [entry for entry in placed if entry[0] < begin] + found
    name = one_line(path.name or path.absolute().name)
    return RunLog(name, _series(placed), "epoch" if length else "iteration", unreadable)


def scalar_files(path: Path) -> list[Path]:
    """Return the logs of a run in order of their starts.

    Raises:
        MissingFileError: If there is none.
    """
    if path.is_file():
        return [path]
    for pattern in (f"*/vis_data/{FILE}", f"vis_data/{FILE}", FILE):
        found = sorted(path.glob(pattern))
        if found:
            return found
    problem = f"has no TIME/vis_data/{FILE}" if path.is_dir() else "is not there"
    raise MissingFileError(
        f"{one_line(path)} {problem}; give the work folder of a training, or its {FILE}."
    )


def _lines_of(file: Path) -> tuple[list[_Line], int]:
    lines, lost = [], 0
    with open(file, encoding="utf-8", errors="replace") as opened:
        for text in opened:
            if not text.strip():
                continue
            try:
                found = read_json(text)
            except ValueError:
                found = None
            if isinstance(found, Mapping) and _has_place(found):
                lines.append(dict(found))
            else:
                lost += 1
    return lines, lost


def _number(value: Any) -> float | None:
    is_number = isinstance(value, (int, float)) and not isinstance(value, bool)
    try:
        return float(value) if is_number else None
    except OverflowError:  # an integer of hundreds of digits
        return None


def _has_place(line: Mapping[str, Any]) -> bool:
    """Whether the step of a line is a finite number, and its epoch if it has one."""
    step, epoch = _number(line.get("step")), _number(line.get("epoch", 1))
    return step is not None and math.isfinite(step) and epoch is not None and math.isfinite(epoch)


def _is_training(line: _Line) -> bool:
    return _number(line.get("iter")) is not None


def _iterations_per_epoch(lines: Iterable[_Line]) -> float | None:
    """Return the iterations of an epoch; None where the training doesn't count epochs.

    MMEngine may write ``epoch`` in a training by iterations, too: it is 1 to the end then, and
    validations have later steps.
    """
    lines = list(lines)
    counted = [
        line for line in lines if _is_training(line) and (_number(line.get("epoch")) or 0) >= 1
    ]
    if not counted:
        return None
    last = max(line["epoch"] for line in counted)
    validated = max((line["step"] for line in lines if not _is_training(line)), default=0)
    if validated > last or (last == 1 and not validated):
        return None
    return max(line["step"] / line["epoch"] for line in counted)


def _place(line: _Line, length: float | None) -> float:
    """Where a line lies; the step of a validation is an epoch if the training counts epochs."""
    return line["step"] / length if length and _is_training(line) else float(line["step"])


def _series(placed: Iterable[tuple[float, _Line]]) -> dict[str, Series]:
    values: dict[str, dict[float, float]] = {}
    for at, line in placed:
        passed_over = _AXES if _is_training(line) else _AXES | _OF_BOTH
        for key, value in line.items():
            number = _number(value)
            if number is not None and key not in passed_over:
                values.setdefault(one_line(key), {})[at] = number
    return {
        key: Series(np.array(sorted(found)), np.array([found[at] for at in sorted(found)]))
        for key, found in values.items()
    }
