"""What a reader checks about itself when it is built: functions from records to messages."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import NamedTuple

import numpy as np

from mmreid_ext.errors import UserError

from .records import Record, column

_SHOWN = 5


class Count(NamedTuple):
    """Published size of one part of a data set.

    Args:
        images: Number of images.
        identities: Number of identities, distractors not counted. None: not published.
    """

    images: int
    identities: int | None = None


def shorten(values: Collection) -> str:
    """The first few values and how many more there are."""
    values = list(values)
    shown = ", ".join(map(str, values[:_SHOWN]))
    more = len(values) - _SHOWN
    return f"{shown} and {more} more" if more > 0 else shown


def count_message(
    records: list[Record],
    published: Mapping[str, Count],
    distractor_pids: Collection[int],
    where: str,
) -> str | None:
    """Difference from the published counts per role, or None."""
    differences = []
    for role, expected in published.items():
        part = [record for record in records if record["role"] == role]
        pids = {record["pid"] for record in part} - set(distractor_pids)
        if len(part) != expected.images:
            differences.append(f"{role} has {len(part)} images (published: {expected.images})")
        if expected.identities is not None and len(pids) != expected.identities:
            differences.append(
                f"{role} has {len(pids)} identities (published: {expected.identities})"
            )
    if not differences:
        return None
    return (
        f"{where} is not the published set: {'; '.join(differences)}. Scores on it do not compare "
        "with published ones; check that the archive was unpacked completely."
    )


def unparsed_message(names: Collection[str], where: str) -> str | None:
    """Files whose names do not follow the data set's pattern, or None."""
    if not names:
        return None
    return (
        f"{where}: {len(names)} file names are not of this data set's pattern and were left out: "
        f"{shorten(names)}. Rename or remove them; for your own images use CSVDataset."
    )


def require_train(records: list[Record], where: str) -> None:
    """Check that there is something to train on.

    Raises:
        ValueError: If there are no training images, or fewer than two identities.
    """
    identities = len({record["pid"] for record in records})
    if identities < 2:
        raise UserError(
            f"{where} has {len(records)} training images of {identities} identities; at least two "
            "identities are needed. Is the split marked 'train', or is combine_all=True meant?"
        )


def require_query_and_gallery(records: list[Record], where: str) -> None:
    """Check that there is something to evaluate.

    Raises:
        ValueError: If there is no query or no gallery image.
    """
    roles = [record["role"] for record in records]
    for role in ("query", "gallery"):
        if role not in roles:
            raise UserError(
                f"{where} has no {role} image ({roles.count('query')} query, "
                f"{roles.count('gallery')} gallery images): nothing can be evaluated. Mark images "
                f"as {role!r}."
            )


def require_repeated_identity(records: list[Record], where: str) -> None:
    """Check that there is something to evaluate where every image is query and gallery.

    Raises:
        ValueError: If no identity has two test images.
    """
    identities = {record["pid"] for record in records}
    if len(identities) == len(records):
        raise UserError(
            f"{where} has {len(records)} test images of {len(identities)} identities: none has "
            "two, so no image has anything to find."
        )


def match_message(records: list[Record], use_cameras: bool, where: str) -> str | None:
    """Query identities without any valid gallery match, or None.

    A match is a gallery image of the identity, from another camera than the query where
    ``use_cameras``.

    Raises:
        ValueError: If no query at all has one.
    """
    query = [record for record in records if record["role"] == "query"]
    unmatched = query_without_match(records, use_cameras)
    if not unmatched.any():
        return None
    pids = np.unique(column(query, "pid")[unmatched])
    rule = "no gallery image from another camera" if use_cameras else "no gallery image"
    remedy = (
        "No camera labels? Set the camids to none (protocol='no_camera', or a CSV without camids)."
        if use_cameras
        else "Add gallery images of them, or remove these queries."
    )
    message = (
        f"{where}: {int(unmatched.sum())} of {len(query)} query images ({len(pids)} identities: "
        f"{shorten(pids.tolist())}) have {rule}. "
    )
    if unmatched.all():
        raise UserError(f"{message}Nothing can be evaluated. {remedy}")
    return f"{message}They do not count in the scores. {remedy}"


def query_without_match(records: list[Record], use_cameras: bool) -> np.ndarray:
    """Mask over the queries, in order, of those without a valid match; shape (Q,)."""
    query = [record for record in records if record["role"] == "query"]
    cameras: dict[int, set[int]] = {}
    for record in records:
        if record["role"] == "gallery":
            cameras.setdefault(record["pid"], set()).add(record["camid"])
    own = [{record["camid"]} if use_cameras else set() for record in query]
    return np.array(
        [
            not (cameras.get(record["pid"], set()) - cam)
            for record, cam in zip(query, own, strict=True)
        ],
        dtype=bool,
    )
