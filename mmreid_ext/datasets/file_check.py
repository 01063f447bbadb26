"""The one check of all readers: are the files there, and does none stand in two places?"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from mmreid_ext.errors import MissingFileError, UserError
from mmreid_ext.protocols import build_protocol

from .image_files import content_keys, locate
from .overlaps import Rules, find_overlaps, missing_message
from .records import Record, select_test

if TYPE_CHECKING:
    from .reid_dataset import ReIDDataset


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
        camera_rule=getattr(protocol, "use_cameras", False),
        twice_in_test=protocol.self_retrieval or reader.lists_test_twice,
        numbered_apart=reader.numbered_apart,
        test_is_trained_on=reader.mode == "train" and reader.combine_all,
        unseen=reader.unseen,
    )
