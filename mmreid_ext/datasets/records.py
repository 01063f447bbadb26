"""Selecting and labelling image records: plain functions on tables of them.

A record is a dict ``img_path, pid, camid, role`` as a reader makes it; labelling adds ``domain``,
``dataset`` and, for training, ``gt_label``. Functions that only read take a list of dicts, too.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any, NamedTuple

import numpy as np

from mmreid_ext.errors import UserError
from mmreid_ext.protocols import ImageTable
from mmreid_ext.shorten import shorten

from .columns.kinds import MISSING, IntColumn
from .columns.table import Record, RecordTable

__all__ = ["Count", "Record", "RecordTable"]


class Count(NamedTuple):
    """Published size of one part of a data set.

    Args:
        images: Number of images.
        identities: Number of identities, distractors not counted. None: not published.
    """

    images: int
    identities: int | None = None


def column(records: Sequence[Record], key: str) -> np.ndarray:
    """Return the values of ``key`` as an int64 array, shape (N,); it must only be read."""
    if isinstance(records, RecordTable):
        return records.ints(key)
    return np.fromiter((record[key] for record in records), dtype=np.int64, count=len(records))


def image_table(
    records: Sequence[Record], distractor_pids: Collection[int], named: bool = True
) -> ImageTable:
    """Tabulate what a protocol asks about test records, one row per record.

    Args:
        records: Test records.
        distractor_pids: Values of ``pid`` that stand for nobody of the queries.
        named: Whether the table has the paths, which take four bytes a letter. Defaults to True.
    """
    table = RecordTable.of(records)
    pids = table.ints("pid")
    names = np.zeros(len(table), dtype="U1")
    if named:
        names = np.array(list(table.keys()), dtype=np.str_)
    lone = np.isin(pids, list(distractor_pids))
    roles, datasets = (table.texts(key) for key in ("role", "dataset"))
    return ImageTable(pids, table.ints("camid"), roles, datasets, names, lone)


def identities(records: Sequence[Record], role: str | None = None) -> np.ndarray:
    """Return the values of ``pid`` that occur, ascending, int64; of one role or of all."""
    table = RecordTable.of(records)
    pids = table.ints("pid")
    return np.unique(pids if role is None else pids[table.equal("role", role)])


def announcement(records: Sequence[Record], distractor_pids: Collection[int]) -> dict[str, Any]:
    """Say about a test set what its records alone don't show.

    Returns:
        ``distractor_pids``, those that occur, and ``pid_names``, the names of identities by
        ``pid``; each only if there are any.
    """
    distractors = sorted(set(identities(records).tolist()) & set(distractor_pids))
    found = dict(distractor_pids=distractors, pid_names=pid_names(records))
    return {key: value for key, value in found.items() if value}


def pid_names(records: Sequence[Record]) -> dict[int, str]:
    """Return the names that the user gave to identities, by ``pid``."""
    table = RecordTable.of(records)
    if "pid_name" not in table.columns:
        return {}
    names = table.columns["pid_name"]
    pids, rows = np.unique(table.ints("pid"), return_index=True)
    found = zip(pids.tolist(), map(names.get, rows.tolist()), strict=True)
    return {pid: name for pid, name in found if name is not MISSING}


def select_train(
    records: Sequence[Record], combine_all: bool, distractor_pids: Collection[int]
) -> RecordTable:
    """Return training records; ``combine_all`` adds query and gallery, without distractors."""
    table = RecordTable.of(records)
    if not combine_all:
        return table.take(table.equal("role", "train"))
    kept = table.take(~np.isin(table.ints("pid"), list(distractor_pids)))
    kept.put("role", "train")
    return kept


def select_test(records: Sequence[Record]) -> RecordTable:
    """Return query and gallery records, queries first, each in the reader's order."""
    table = RecordTable.of(records)
    rows = [np.flatnonzero(table.equal("role", role)) for role in ("query", "gallery")]
    return table.take(np.concatenate(rows))


def cut_identities(
    records: Sequence[Record],
    identities: Collection[int] | None,
    max_identities: int | None,
    where: str,
) -> RecordTable:
    """Keep some identities.

    Args:
        records: Records of one mode.
        identities: Original ids to keep. None: all.
        max_identities: Keep the first ``max_identities`` identities in numeric order, counted among
            the queries if there are any. Gallery images of all others, distractors included, are
            dropped.
        where: Name for messages.

    Raises:
        ValueError: If there are fewer identities than asked for, or named ones are missing.
    """
    table = RecordTable.of(records)
    if identities is None and max_identities is None:
        return table
    pids = table.ints("pid")
    known = np.unique(pids[~table.equal("role", "gallery")]).tolist()
    if identities is not None:
        missing = sorted(set(identities) - set(known))
        if missing:
            raise UserError(
                f"{where} has no identities {shorten(missing)} ({len(missing)} of `identities`)."
            )
        known = sorted(set(identities))
    if max_identities is not None:
        if not 0 < max_identities <= len(known):
            raise UserError(
                f"max_identities={max_identities}, but {where} has {len(known)} identities to "
                "choose from."
            )
        known = known[:max_identities]
    return table.take(np.isin(pids, known))


def set_domains(records: RecordTable, domain_from: str, where: str) -> int:
    """Write ``domain`` into every record.

    Args:
        records: Changed in place.
        domain_from: ``'dataset'``: 0 everywhere. ``'camera'``: cameras numbered in ascending order.
            ``'record'``: the reader's ``domain`` values numbered in ascending order.
        where: Name for messages.

    Returns:
        Number of domains.

    Raises:
        ValueError: If the option is unknown, or the records do not hold what it needs.
    """
    if domain_from not in ("dataset", "camera", "record"):
        raise UserError(
            f"domain_from must be 'dataset', 'camera' or 'record', got {domain_from!r}."
        )
    if domain_from == "dataset":
        records.put("domain", np.zeros(len(records), dtype=np.int64))
        return 1
    key = "camid" if domain_from == "camera" else "domain"
    if not _is_known(records, key):
        raise UserError(
            f"domain_from={domain_from!r}: {where} has images without {key!r}. "
            "Use domain_from='dataset'."
        )
    values, domains = np.unique(records.ints(key), return_inverse=True)
    records.put("domain", domains.reshape(-1))
    return len(values)


def _is_known(records: RecordTable, key: str) -> bool:
    """Whether every record has a number that isn't negative."""
    column = records.columns.get(key)
    if isinstance(column, IntColumn):
        return column.given is None and not (column.numbers < 0).any()
    return all(record.get(key) is not None and record[key] >= 0 for record in records)


def set_labels(records: RecordTable) -> int:
    """Write ``gt_label``, ids numbered in ascending order, into every record; return the number."""
    values, labels = np.unique(records.ints("pid"), return_inverse=True)
    records.put("gt_label", labels.reshape(-1))
    return len(values)


def with_test_numbered_from(records: Sequence[Record], first: int) -> RecordTable:
    """Add a number to the identities of query and gallery: they are other people than trained on.

    Args:
        records: Records of all roles.
        first: More than the greatest identity of the training.
    """
    table = RecordTable.of(records)
    pids = table.ints("pid") + np.where(table.equal("role", "train"), 0, first)
    found = RecordTable(table.columns, len(table))
    found.put("pid", pids)
    return found
