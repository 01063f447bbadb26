"""Check the records of a data set: published counts, names, roles, the protocol.

A ``*_message`` returns what is odd. A ``require_*`` raises what makes the set useless. A
``check_*`` does both: it raises errors and returns warnings.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager

import numpy as np

from mmreid_ext.datasets.records import Count, Record, RecordTable, identities
from mmreid_ext.errors import UserError
from mmreid_ext.protocols import (
    EvaluationProtocol,
    ImageTable,
    Labels,
    match_report,
    unknown_cameras_message,
)
from mmreid_ext.shorten import shorten


def count_message(
    records: Sequence[Record],
    published: Mapping[str, Count],
    distractor_pids: Collection[int],
    where: str,
) -> str | None:
    """Difference from the published counts per role, or None."""
    table, differences = RecordTable.of(records), []
    for role, expected in published.items():
        images = int(table.equal("role", role).sum())
        pids = np.setdiff1d(identities(table, role), list(distractor_pids))
        if images != expected.images:
            differences.append(f"{role} has {images} images (published: {expected.images})")
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


def empty_message(places: Collection[str], where: str) -> str | None:
    """Folders and lists in which there is nothing to read, or None."""
    if not places:
        return None
    return (
        f"{where}: there are no images in {len(places)} places: {shorten(places)}. Unpack the data "
        "set completely, or check where the images went."
    )


@contextmanager
def led_by(causes: Callable[[], Collection[str | None]]) -> Iterator[None]:
    """Put what is probably the cause before the message of an error."""
    try:
        yield
    except UserError as error:
        known = [cause for cause in causes() if cause]
        if not known:
            raise
        raise type(error)(" ".join([*known, str(error)])) from None


def require_fitting(
    records: Sequence[Record], unparsed: Collection[str], where: str, name_form: str
) -> None:
    """Check that names could be read, where nothing was found for want of that.

    Args:
        records: What was read for the mode.
        unparsed: Names that could not be read.
        where: Name for messages.
        name_form: What names look like in this data set.

    Raises:
        UserError: If nothing was read, and there are names that could not be.
    """
    if records or not unparsed:
        return
    form = f"Names there look like {name_form}. " if name_form else ""
    raise UserError(
        f"{where}: no name could be read: {len(unparsed)} files or lines are not of this data "
        f"set's pattern, for example {shorten(unparsed)}. {form}Is it another data set, or were "
        "the files renamed? For your own images use CSVDataset."
    )


def require_train(records: Sequence[Record], where: str) -> None:
    """Check that there is something to train on.

    Raises:
        ValueError: If there are no training images, or fewer than two identities.
    """
    people = len(identities(records))
    if people < 2:
        raise UserError(
            f"{where} has {len(records)} training images of {people} identities; at least two "
            "identities are needed. Is the split marked 'train', or is combine_all=True meant?"
        )


def require_query_and_gallery(records: Sequence[Record], where: str) -> None:
    """Check that there is something to evaluate.

    Raises:
        ValueError: If there is no query or no gallery image.
    """
    table = RecordTable.of(records)
    images = {role: int(table.equal("role", role).sum()) for role in ("query", "gallery")}
    for role, count in images.items():
        if not count:
            raise UserError(
                f"{where} has no {role} image ({images['query']} query, {images['gallery']} "
                f"gallery images): nothing can be evaluated. Mark images as {role!r}."
            )


def require_repeated_identity(records: Sequence[Record], where: str) -> None:
    """Check that there is something to evaluate where every image is query and gallery.

    Raises:
        ValueError: If no identity has two test images.
    """
    people = len(identities(records))
    if people == len(records):
        raise UserError(
            f"{where} has {len(records)} test images of {people} identities: none has "
            "two, so no image has anything to find."
        )


def check_protocol(
    images: ImageTable,
    protocol: EvaluationProtocol,
    where: str,
    pid_names: Mapping[int, str] | None = None,
) -> list[str]:
    """Check that a test set can be evaluated under its protocol, before features are there.

    Args:
        images: The test images.
        protocol: How they are evaluated.
        where: Name for messages.
        pid_names: Names that the user gave to identities.

    Returns:
        Warnings: queries without a match, unknown cameras, a protocol that does not fit these
        images. The last is no error here, since the evaluation may be given another protocol.

    Raises:
        ValueError: If no query at all can be answered.
    """
    try:
        labels = Labels.of(images, protocol.matching_split(images))
    except UserError as error:
        return [f"{where} can't be evaluated by its protocol {type(protocol).__name__}: {error}"]
    report = match_report(labels, images.title, pid_names)
    if report.is_total:
        raise UserError(f"{where}: nothing can be evaluated. {report.text}")
    unknown = unknown_cameras_message(labels, images.title)
    return [f"{where}: {text}" for text in (report.text, unknown) if text]
