"""The one check of all readers: are the files there, and does none stand in two places?"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from mmreid_ext.datasets.records import Record, select_test
from mmreid_ext.errors import MissingFileError, UserError
from mmreid_ext.protocols import SingleGalleryShotProtocol, build_protocol
from mmreid_ext.shorten import shorten

from .image_files import content_keys, locate
from .overlaps import Rules, find_overlaps, missing_message

if TYPE_CHECKING:
    from mmreid_ext.datasets.reid_dataset import ReIDDataset


def check_files(reader: ReIDDataset, records: list[Record], where: str) -> list[str]:
    """Look for files that are missing, and for what stands in two places.

    Args:
        reader: Whose records they are; its options say what is an error.
        records: All records of the set, whatever the mode.
        where: Name for messages.

    Returns:
        Warnings.

    Raises:
        UserError: For what makes the set useless, see ``docs/datasets.md``.
    """
    if not records:
        return []
    files = locate([record["img_path"] for record in records])
    missing = missing_message(records, files, where, reader.list_files)
    there = [row for row, file in enumerate(files) if file is not None]
    keys = [files[row] for row in there]
    if reader.compare_files == "content":
        keys = content_keys(keys)
    findings = find_overlaps([records[row] for row in there], keys, _rules(reader, records))
    errors = [f"{where}: {f.text}" for f in findings if f.is_error and reader.check]
    if missing and _must_be_there(reader, records, files):
        raise MissingFileError("\n".join([missing, *errors]))
    if errors:
        raise UserError("\n".join([*errors, "check=False turns this into a warning."]))
    return [missing, *(f"{where}: {finding.text}" for finding in findings)]


def once_each(reader: ReIDDataset, records: list[Record], where: str) -> tuple[list[Record], str]:
    """Keep one record of each picture, where every image is compared with all others.

    A picture that is listed as query and as gallery image would find its own copy.

    Args:
        reader: Whose test records they are.
        records: Test records.
        where: Name for messages.

    Returns:
        The records to be used, and a warning; empty if they are all.
    """
    if not records or not build_protocol(reader.protocol_of(records)).self_retrieval:
        return records, ""
    paths = [record["img_path"] for record in records]
    keys = [file or path for file, path in zip(locate(paths), paths, strict=True)]
    if reader.compare_files == "content":
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


def _must_be_there(reader: ReIDDataset, records: list[Record], files: Sequence[str | None]) -> bool:
    """Whether missing files stop the run: those of this mode do, and with ``check`` all do."""
    is_training = reader.mode == "train"
    if is_training and reader.on_corrupt == "skip":
        return False
    is_used = [
        (reader.combine_all and is_training) or (record["role"] == "train") == is_training
        for record in records
    ]
    return reader.check or any(
        used and file is None for used, file in zip(is_used, files, strict=True)
    )


def _rules(reader: ReIDDataset, records: list[Record]) -> Rules:
    protocol = build_protocol(reader.protocol_of(select_test(records)))
    return Rules(
        camera_rule=getattr(protocol, "use_cameras", False)
        or isinstance(protocol, SingleGalleryShotProtocol),
        numbered_apart=reader.numbered_apart,
        test_is_trained_on=reader.mode == "train" and reader.combine_all,
        counted_once=protocol.self_retrieval,
        unseen=reader.unseen,
    )
