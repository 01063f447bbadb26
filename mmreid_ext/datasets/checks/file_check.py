"""Check the files of a data set: each is there, and none stands in two places."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from mmreid_ext.datasets.records import Record
from mmreid_ext.errors import MissingFileError, UserError
from mmreid_ext.pictures.boxes import picture_key
from mmreid_ext.protocols import EvaluationProtocol, SingleGalleryShotProtocol
from mmreid_ext.shorten import shorten

from .image_files import content_keys, locate
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
    records: list[Record], options: FileOptions, protocol: EvaluationProtocol, where: str
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
    files = locate([picture_key(record["img_path"], record) for record in records])
    require_some_file(records, files, where, options.list_files)
    missing = missing_message(records, files, where, options.list_files)
    there = [row for row, file in enumerate(files) if file is not None]
    keys = [file for file in files if file is not None]
    if options.by_content:
        keys = content_keys(keys)
    rules = _rules(options, protocol)
    findings = find_overlaps([records[row] for row in there], keys, rules)
    errors = [f"{where}: {f.text}" for f in findings if f.is_error and options.check]
    if missing and _must_be_there(options, records, files):
        raise MissingFileError("\n".join([missing, *errors]))
    if errors:
        raise UserError("\n".join([*errors, "check=False turns this into a warning."]))
    return [missing, *(f"{where}: {finding.text}" for finding in findings)]


def once_each(
    records: list[Record], protocol: EvaluationProtocol, by_content: bool, where: str
) -> tuple[list[Record], str]:
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
    paths = [picture_key(record["img_path"], record) for record in records]
    keys = [file or path for file, path in zip(locate(paths), paths, strict=True)]
    if by_content:
        keys = content_keys(keys)
    first: dict[str, Record] = {}
    for key, record in zip(keys, records, strict=True):
        first.setdefault(key, record)
    if len(first) == len(records):
        return records, ""
    kept = {id(record) for record in first.values()}
    dropped = [record["img_path"] for record in records if id(record) not in kept]
    return list(first.values()), (
        f"{where}: {len(dropped)} images are listed more than once ({shorten(dropped)}) and used "
        "once: the protocol compares every image with all others, and they would find themselves."
    )


def _must_be_there(
    options: FileOptions, records: list[Record], files: Sequence[str | None]
) -> bool:
    """Whether missing files stop the run: those of this mode do, and with ``check`` all do."""
    if options.is_training and options.skips_missing:
        return False
    is_used = [
        (options.all_trained_on and options.is_training)
        or (record["role"] == "train") == options.is_training
        for record in records
    ]
    return options.check or any(
        used and file is None for used, file in zip(is_used, files, strict=True)
    )


def _rules(options: FileOptions, protocol: EvaluationProtocol) -> Rules:
    return Rules(
        camera_rule=getattr(protocol, "use_cameras", False)
        or isinstance(protocol, SingleGalleryShotProtocol),
        numbered_apart=options.numbered_apart,
        test_is_trained_on=options.is_training and options.all_trained_on,
        counted_once=protocol.self_retrieval,
        unseen=options.unseen,
    )
