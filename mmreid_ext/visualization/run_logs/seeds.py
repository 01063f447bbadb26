"""Put runs that differ in their seed together: one mean, one band from lowest to highest."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np

from mmreid_ext.errors import UserError
from mmreid_ext.shorten import one_line

from .logged_values import RunLog, Series, read_run_log

SEEDS = "seed_*"
"""Folders of the seeds, as ``tools/train_seeds.py`` names them."""


class Curve(NamedTuple):
    """A value over the training, of one run or of several.

    Attributes:
        at: Where on the axis, (N,), rising.
        mean: Of the runs, (N,).
        low: Lowest of the runs, (N,).
        high: Highest of the runs, (N,).
        runs: Number of runs.
    """

    at: np.ndarray
    mean: np.ndarray
    low: np.ndarray
    high: np.ndarray
    runs: int


class Group(NamedTuple):
    """Runs that become one curve.

    Attributes:
        name: What the legend calls them.
        runs: One or more.
    """

    name: str
    runs: list[RunLog]


def read_group(folder: str | os.PathLike) -> Group:
    """Read a run, or all runs of a folder that holds one folder per seed.

    Args:
        folder: Work folder, log file, or folder of ``tools/train_seeds.py``.
    """
    path = Path(folder)
    found = sorted(path.glob(SEEDS), key=_natural) if path.is_dir() else []
    runs = [read_run_log(part) for part in found if part.is_dir()] or [read_run_log(path)]
    return Group(one_line(path.name or path.absolute().name), runs)


def curve_of(group: Group, key: str) -> Curve | None:
    """Average a value over the runs of a group that logged it; None if none did.

    Only places count where every one of them has a value: a mean over other runs at each place
    would jump.

    Raises:
        UserError: If they have no place in common.
    """
    logged = [run.series[key] for run in group.runs if key in run.series]
    if not logged:
        return None
    at = logged[0].at
    for series in logged[1:]:
        at = np.intersect1d(at, series.at)
    if not len(at):
        raise UserError(
            f"{group.name}: its runs logged {key} at no common {group.runs[0].axis}, so they have "
            "no mean; give runs of one configuration."
        )
    values = np.stack([_at(series, at) for series in logged])
    return Curve(at, values.mean(0), values.min(0), values.max(0), len(logged))


def keys_of(groups: Sequence[Group]) -> list[str]:
    """Return the keys of all runs, in order of appearance."""
    return list(dict.fromkeys(key for group in groups for run in group.runs for key in run.series))


def _at(series: Series, places: np.ndarray) -> np.ndarray:
    return series.values[np.searchsorted(series.at, places)]


def _natural(path: Path) -> tuple[int, str]:
    return len(path.name), path.name
