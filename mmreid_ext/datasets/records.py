"""Selecting and labelling image records: plain functions on lists of dicts.

A record is a dict ``img_path, pid, camid, role`` as a reader makes it; labelling adds ``domain``,
``dataset`` and, for training, ``gt_label``.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Any, NamedTuple

import numpy as np

from mmreid_ext.errors import UserError
from mmreid_ext.pictures.boxes import picture_key
from mmreid_ext.protocols import ImageTable
from mmreid_ext.shorten import shorten

Record = dict


class Count(NamedTuple):
    """Published size of one part of a data set.

    Args:
        images: Number of images.
        identities: Number of identities, distractors not counted. None: not published.
    """

    images: int
    identities: int | None = None


def column(records: list[Record], key: str) -> np.ndarray:
    """Return the values of ``key`` as an int64 array, shape (N,)."""
    return np.fromiter((record[key] for record in records), dtype=np.int64, count=len(records))


def image_table(records: list[Record], distractor_pids: Collection[int]) -> ImageTable:
    """Tabulate what a protocol asks about test records, one row per record."""
    pids = column(records, "pid")
    roles, datasets = (
        np.array([record[key] for record in records], dtype=np.str_) for key in ("role", "dataset")
    )
    names = np.array([picture_key(r["img_path"], r) for r in records], dtype=np.str_)
    lone = np.isin(pids, list(distractor_pids))
    return ImageTable(pids, column(records, "camid"), roles, datasets, names, lone)


def announcement(records: list[Record], distractor_pids: Collection[int]) -> dict[str, Any]:
    """Say about a test set what its records alone don't show.

    Returns:
        ``distractor_pids``, those that occur, and ``pid_names``, the names of identities by
        ``pid``; each only if there are any.
    """
    distractors = sorted({r["pid"] for r in records} & set(distractor_pids))
    names = {r["pid"]: r["pid_name"] for r in records if "pid_name" in r}
    found = dict(distractor_pids=distractors, pid_names=names)
    return {key: value for key, value in found.items() if value}


def select_train(
    records: list[Record], combine_all: bool, distractor_pids: Collection[int]
) -> list[Record]:
    """Return training records; ``combine_all`` adds query and gallery, without distractors."""
    if not combine_all:
        return [record for record in records if record["role"] == "train"]
    kept = [record for record in records if record["pid"] not in distractor_pids]
    return [{**record, "role": "train"} for record in kept]


def select_test(records: list[Record]) -> list[Record]:
    """Return query and gallery records, queries first, each in the reader's order."""
    return [r for role in ("query", "gallery") for r in records if r["role"] == role]


def cut_identities(
    records: list[Record],
    identities: Collection[int] | None,
    max_identities: int | None,
    where: str,
) -> list[Record]:
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
    if identities is None and max_identities is None:
        return records
    queried = [r for r in records if r["role"] != "gallery"]
    known = np.unique(column(queried, "pid")).tolist()
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
    keep = set(known)
    return [record for record in records if record["pid"] in keep]


def set_domains(records: list[Record], domain_from: str, where: str) -> int:
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
        for record in records:
            record["domain"] = 0
        return 1
    key = "camid" if domain_from == "camera" else "domain"
    if any(record.get(key) is None or record[key] < 0 for record in records):
        raise UserError(
            f"domain_from={domain_from!r}: {where} has images without {key!r}. "
            "Use domain_from='dataset'."
        )
    values, domains = np.unique(column(records, key), return_inverse=True)
    for record, domain in zip(records, domains.tolist(), strict=True):
        record["domain"] = domain
    return len(values)


def set_labels(records: list[Record]) -> int:
    """Write ``gt_label``, ids numbered in ascending order, into every record; return the number."""
    values, labels = np.unique(column(records, "pid"), return_inverse=True)
    for record, label in zip(records, labels.tolist(), strict=True):
        record["gt_label"] = label
    return len(values)
