"""Find the same bytes in two places."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

import numpy as np

from mmreid_ext.datasets.checks.overlaps import finds_itself

from .findings import Finding, Group, collected
from .read_set import SourceSet
from .scan import Scan
from .table import PictureTable


def find_same(
    table: PictureTable, scan: Scan, sources: Sequence[SourceSet]
) -> tuple[list[Finding], np.ndarray]:
    """Find pictures that are listed more than once, whatever their files are called.

    Returns:
        Findings, and the rows of one of each picture that was read.
    """
    groups, first = _alike(scan.digests)
    kinds: tuple[tuple[str, Callable[..., Iterable[Sequence[int]]]], ...] = (
        ("two_people", _two_people),
        ("train_and_test", _train_and_test),
        ("query_and_gallery", _query_and_gallery),
        ("repeated", _repeated),
    )
    findings = []
    for kind, select in kinds:
        found = [Group(tuple(rows)) for group in groups for rows in select(table, group, sources)]
        findings += collected(kind, found)
    return findings, first


def _alike(digests: np.ndarray) -> tuple[list[list[int]], np.ndarray]:
    """Rows of equal pictures, and the first row of every picture."""
    rows = np.flatnonzero(digests != b"")
    if not len(rows):
        return [], rows
    order = rows[np.argsort(digests[rows], kind="stable")]
    ends = np.flatnonzero(digests[order][1:] != digests[order][:-1]) + 1
    parts = np.split(order, ends)
    return [part.tolist() for part in parts if len(part) > 1], np.sort([p[0] for p in parts])


def _two_people(
    table: PictureTable, group: list[int], sources: Sequence[SourceSet]
) -> list[list[int]]:
    """People are compared within the training set, and within each test set."""
    found = []
    sides: dict[int, list[int]] = {}
    for row in group:
        sides.setdefault(-1 if table.is_train[row] else int(table.sets[row]), []).append(row)
    for rows in sides.values():
        if len({int(table.people[row]) for row in rows}) > 1:
            found.append(rows)
    return found


def _train_and_test(
    table: PictureTable, group: list[int], sources: Sequence[SourceSet]
) -> list[list[int]]:
    roles = table.roles[group]
    both = (roles == "train").any() and np.isin(roles, ("query", "gallery")).any()
    return [group] if both else []


def _query_and_gallery(
    table: PictureTable, group: list[int], sources: Sequence[SourceSet]
) -> list[list[int]]:
    found = []
    for number in sorted(set(table.sets[group].tolist())):
        protocol = sources[number].protocol
        if protocol is None or protocol.self_retrieval:
            continue
        rows = [row for row in group if table.sets[row] == number]
        records = [{"role": str(table.roles[r]), "camid": int(table.camids[r])} for r in rows]
        camera_rule = getattr(protocol, "use_cameras", False)
        one_person = len({int(table.people[row]) for row in rows}) == 1
        if finds_itself(records, camera_rule and one_person):
            found.append(rows)
    return found


def _repeated(
    table: PictureTable, group: list[int], sources: Sequence[SourceSet]
) -> list[list[int]]:
    places: dict[tuple, list[int]] = {}
    for row in group:
        key = (int(table.sets[row]), str(table.roles[row]), int(table.people[row]))
        places.setdefault(key, []).append(row)
    return [rows for rows in places.values() if len(rows) > 1]
