"""Find files that are missing or no pictures, and pictures unlike the others."""

from __future__ import annotations

import numpy as np

from mmreid_ext.datasets.checks.image_files import is_remote

from .findings import Finding, Group, collected
from .scan import Scan
from .table import PictureTable

_BLANK = 2.0  # grey levels; a lens cap in the dark has more noise
_SMALLEST = 16  # pixels along either side; nothing of a person can be told on less
_SHAPE = 3.0  # times as wide, or as narrow, for its height as the median picture
_AREA = 64.0  # times as large, or as small, as the median picture: 8 along either side


def find_picture_faults(table: PictureTable, scan: Scan) -> list[Finding]:
    """List what the scan found picture by picture."""
    missing = [Group((row,)) for row, file in enumerate(table.files) if file is None]
    blank = np.flatnonzero(scan.contrasts < _BLANK).tolist()  # NaN is not below
    return [
        *collected("missing", missing),
        *collected("unreadable", _noted(scan.problems)),
        *collected("blank", [Group((row,)) for row in blank]),
        *collected("wrong_suffix", _noted(scan.formats)),
        *collected("odd_size", _odd_sizes(scan.sizes)),
        *_interrupted(table, scan),
    ]


def _noted(texts: dict[int, str]) -> list[Group]:
    return [Group((row,), texts[row]) for row in sorted(texts)]


def _odd_sizes(sizes: np.ndarray) -> list[Group]:
    known = np.flatnonzero(sizes.min(axis=1, initial=1 << 30) > 0)
    if not len(known):
        return []
    width, height = sizes[known].T.astype(float)
    shape, area = np.log(width / height), np.log(width * height)
    off_shape = np.abs(shape - np.median(shape)) / np.log(_SHAPE)
    off_area = np.abs(area - np.median(area)) / np.log(_AREA)
    oddness = np.maximum(off_shape, off_area)
    oddness[np.minimum(width, height) < _SMALLEST] += 1
    worst = np.argsort(-oddness, kind="stable")
    return [
        Group((int(known[k]),), f"{int(width[k])} x {int(height[k])}")
        for k in worst[oddness[worst] >= 1].tolist()
    ]


def _interrupted(table: PictureTable, scan: Scan) -> list[Finding]:
    to_read = sum(file is not None and not is_remote(file) for file in table.files)
    if scan.seen >= to_read:
        return []
    note = f"{scan.seen:,} of {to_read:,} pictures were looked at"
    return collected("stopped", [Group((), note)])
