"""Check the files of a data set: each is there, and none stands in two places."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from mmreid_ext.datasets.records import Record, RecordTable
from mmreid_ext.errors import MissingFileError, UserError
from mmreid_ext.protocols import EvaluationProtocol, SingleGalleryShotProtocol
from mmreid_ext.shorten import shorten

from .located import Located
from .overlaps import Rules, find_overlaps, missing_message, require_some_file


@dataclass(frozen=True)
class FileOptions:
    """Say what a reader and its options take for an error.

    Args:
        is_training: Whether the training images are used, otherwise the test images.
        all_trained_on: Whether query and gallery images are trained on too.
        check: Whether what makes a set useless is an error; otherwise it is a warning.
        skips_missing: Whether training replaces images that can't be read.
        by_content: Whether images are compared by their bytes, otherwise by their paths.
        list_files: Files that name the images.
        numbered_apart: Whether training and test number their identities independently.
        unseen: Whether identities of the test set must not be in the training set.
    """

    is_training: bool
    all_trained_on: bool = False
    check: bool = True
    skips_missing: bool = False
    by_content: bool = False
    list_files: Sequence[str] = ()
    numbered_apart: bool = False
    unseen: bool = False


def check_files(
    records: Sequence[Record], options: FileOptions, protocol: EvaluationProtocol, where: str
) -> list[str]:
    """Look for files that are missing, and for images and identities in two places.

    Args:
        records: All records of the set, whatever the mode.
        options: What is an error in this set.
        protocol: How its test images are evaluated.
        where: Name for messages.

    Returns:
        Warnings.

    Raises:
        UserError: For what makes the set useless, see ``docs/datasets.md``.
    """
    if not records:
        return []
    table = RecordTable.of(records)
    files = Located(table)
    require_some_file(table, files.found, where, options.list_files)
    missing = missing_message(table, files.found, where, options.list_files)
    if options.by_content:
        files = Located(table, by_content=True)
    findings = find_overlaps(table, files, _rules(options, protocol))
    errors = [f"{where}: {f.text}" for f in findings if f.is_error and options.check]
    if missing and _must_be_there(options, table, files.found):
        raise MissingFileError("\n".join([missing, *errors]))
    if errors:
        raise UserError("\n".join([*errors, "check=False turns this into a warning."]))
    return [missing, *(f"{where}: {finding.text}" for finding in findings)]


def once_each(
    records: RecordTable, protocol: EvaluationProtocol, by_content: bool, where: str
) -> tuple[RecordTable, str]:
    """Keep one record of each picture if every image is compared with all others.

    A picture that is listed as query and as gallery image would find its own copy.

    Args:
        records: Test records.
        protocol: How they are evaluated.
        by_content: Whether images are compared by their bytes, otherwise by their paths.
        where: Name for messages.

    Returns:
        The records to be used, and a warning; the warning is empty if all of them are.
    """
    if not records or not protocol.self_retrieval:
        return records, ""
    kept = Located(records, by_content).first_of_each()
    if len(kept) == len(records):
        return records, ""
    again = np.setdiff1d(np.arange(len(records)), kept)
    dropped = list(records.take(again).paths())
    return records.take(kept), (
        f"{where}: {len(dropped)} images are listed more than once ({shorten(dropped)}) and used "
        "once: the protocol compares every image with all others, and they would find themselves."
    )


def _must_be_there(options: FileOptions, records: RecordTable, found: np.ndarray) -> bool:
    """Whether missing files stop the run: those of this mode do, and with ``check`` all do."""
    if options.is_training and options.skips_missing:
        return False
    if options.check or (options.all_trained_on and options.is_training):
        return True
    is_used = records.equal("role", "train") == options.is_training
    return bool((is_used & ~found).any())


def _rules(options: FileOptions, protocol: EvaluationProtocol) -> Rules:
    return Rules(
        camera_rule=getattr(protocol, "use_cameras", False)
        or isinstance(protocol, SingleGalleryShotProtocol),
        numbered_apart=options.numbered_apart,
        test_is_trained_on=options.is_training and options.all_trained_on,
        counted_once=protocol.self_retrieval,
        unseen=options.unseen,
    )
