"""Find pictures that differ by little more than their encoding."""

from __future__ import annotations

from functools import lru_cache

import cv2
import numpy as np

from mmreid_ext.errors import UserError

from .findings import Finding, Group, collected
from .scan import Scan, read_part
from .table import PictureTable

_BANDS = 8  # of 16 bits: hashes that differ in less than eight bits agree in one of them
_BITS = np.array([bin(byte).count("1") for byte in range(256)], dtype=np.int64)
_MOST_BITS = 7  # of 128 that may differ
_NEIGHBOURS = 256  # rows of one band value that each is compared with; more look like nothing
_MOST_PAIRS = 50_000  # pairs that are read again; bounds the time
_BLANK = 4.0  # grey levels of contrast; below, all pictures look alike from afar
_SIZE = (16, 32)  # at which two pictures are compared
# Mean grey levels: half the size and JPEG at quality 75 change crops of people by up to 7. No two
# people of Market-1501, VIPeR or CUHK03 come near to that.
_DIFFERENCE = 7.0


def find_near(table: PictureTable, scan: Scan, rows: np.ndarray) -> list[Finding]:
    """Find nearly identical pictures of different people, or in the training and the test set.

    Pictures of one person for one purpose are left alone: neighbouring frames are alike.

    Args:
        table: The pictures.
        scan: What was seen of them.
        rows: Pictures to compare, one of those with equal bytes.
    """
    rows = rows[scan.contrasts[rows] >= _BLANK]
    pairs = _candidates(table, scan.hashes, rows)
    people, places = [], []
    for difference, a, b in _verified(table, pairs[:_MOST_PAIRS]):
        group = Group((a, b), f"mean difference {difference:.1f} of 255")
        if table.is_train[a] != table.is_train[b] and (table.is_test[a] or table.is_test[b]):
            places.append(group)
        else:
            people.append(group)
    return collected("near_two_people", people) + collected("near_train_and_test", places)


def _candidates(table: PictureTable, hashes: np.ndarray, rows: np.ndarray) -> list[tuple[int, int]]:
    """Pairs of rows whose hashes differ in a few bits, the nearest first."""
    found: dict[tuple[int, int], int] = {}
    bands = hashes[rows].view(np.uint16).reshape(len(rows), _BANDS)
    for band in bands.T:
        order = np.argsort(band, kind="stable")
        keys, sorted_rows = band[order], rows[order]
        active = np.arange(len(rows))
        for step in range(1, _NEIGHBOURS):
            active = active[active + step < len(rows)]
            active = active[keys[active] == keys[active + step]]
            if not len(active):
                break
            a, b = sorted_rows[active], sorted_rows[active + step]
            of_interest = _of_interest(table, a, b)
            a, b = a[of_interest], b[of_interest]
            bits = _BITS[(hashes[a] ^ hashes[b]).view(np.uint8)].sum(axis=1)
            near = bits <= _MOST_BITS
            columns = (values[near].tolist() for values in (a, b, bits))
            for x, y, n in zip(*columns, strict=True):
                found[min(x, y), max(x, y)] = n
    return sorted(found, key=lambda pair: (found[pair], pair))


def _of_interest(table: PictureTable, a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Whether two rows are of different people on one side, or on both sides."""
    train, test = table.is_train, table.is_test
    both_sides = (train[a] & test[b]) | (test[a] & train[b])
    one_side = (train[a] & train[b]) | (table.sets[a] == table.sets[b])
    return both_sides | (one_side & (table.people[a] != table.people[b]))


def _verified(table: PictureTable, pairs: list[tuple[int, int]]) -> list[tuple[float, int, int]]:
    """Compare the pixels of pairs; returns those that are alike, the most alike first."""

    @lru_cache(maxsize=4096)  # 6 KiB each
    def small(row: int) -> np.ndarray | None:
        try:
            image = read_part(str(table.files[row]), table.boxes[row])
        except (OSError, UserError):  # gone since it was scanned
            return None
        return cv2.resize(image, _SIZE, interpolation=cv2.INTER_AREA).astype(np.float32)

    found = []
    for a, b in sorted(pairs):
        one, other = small(a), small(b)
        if one is None or other is None:
            continue
        difference = float(np.abs(one - other).mean())
        if difference <= _DIFFERENCE:
            found.append((difference, a, b))
    return sorted(found)
