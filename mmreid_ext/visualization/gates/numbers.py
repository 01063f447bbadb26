"""Write the gates of every layer as numbers, for figures of one's own."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterable
from pathlib import Path

import numpy as np

from mmreid_ext.errors import UserError
from mmreid_ext.output_files.atomic import atomic_open
from mmreid_ext.stage_names import stage_of

from .reading import Gates

SUFFIXES = (".csv", ".json")
QUANTILES = {"p05": 5, "p25": 25, "p50": 50, "p75": 75, "p95": 95}
"""Percentiles over the channels of a layer; the figure draws them."""


def layer_rows(several: Iterable[Gates]) -> list[dict[str, str | int | float | None]]:
    """Describe every layer of every checkpoint: a row each.

    Returns:
        ``checkpoint``, ``at``, ``layer``, ``stage``, ``channels``, ``mean``, ``min``, the
        percentiles, ``max``, and the shares of channels ``at_0`` and ``at_1``.
    """
    return [
        dict(checkpoint=gates.source, at=gates.at, layer=name, stage=stage_of(name), **_of(values))
        for gates in several
        for name, values in gates.layers.items()
    ]


def _of(values: np.ndarray) -> dict[str, int | float]:
    found = np.percentile(values, list(QUANTILES.values())).tolist()
    return dict(
        channels=len(values),
        mean=float(values.mean()),
        min=float(values.min()),
        **dict(zip(QUANTILES, found, strict=True)),
        max=float(values.max()),
        at_0=float((values == 0).mean()),
        at_1=float((values == 1).mean()),
    )


def check_data_suffix(path: Path) -> None:
    """Check that a file of numbers has a name that can be written.

    Raises:
        UserError: If it ends otherwise.
    """
    if path.suffix not in SUFFIXES:
        raise UserError(f"--data {path}: must end with {' or '.join(SUFFIXES)}.")


def write_layer_rows(path: Path, several: Iterable[Gates]) -> None:
    """Write :func:`layer_rows` as CSV, or as a JSON list of objects. Folders are made.

    Args:
        path: Ends with ``.csv`` or ``.json``.
        several: Gates of one checkpoint or more.
    """
    check_data_suffix(path)
    rows = layer_rows(several)
    path.parent.mkdir(parents=True, exist_ok=True)
    with atomic_open(path, "w", encoding="utf-8", newline="") as file:
        if path.suffix == ".json":
            file.write(json.dumps(rows, indent=1) + "\n")
            return
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
