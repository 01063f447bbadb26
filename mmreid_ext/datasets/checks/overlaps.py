"""Find what flatters a score or spoils a training: images and identities in two places.

One check for all readers, over all records of a set, whatever the mode. Files are compared by their
real paths, or by their contents. The table of what is an error and what a warning stands in
``docs/datasets.md``.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from mmreid_ext.datasets.records import Record, RecordTable
from mmreid_ext.errors import MissingFileError
from mmreid_ext.shorten import shorten

from .located import Located

_TEST = ("query", "gallery")


class Finding(NamedTuple):
    """Something that must not, or hardly ever, be in a data set.

    Args:
        text: What it is, with examples and the remedy.
        is_error: Whether the set can't be used as it is.
    """

    text: str
    is_error: bool


class Rules(NamedTuple):
    """Say what is normal in a data set.

    Args:
        camera_rule: Whether the evaluation leaves out images of the query's own identity and
            camera. A query may then stand in the gallery under its own camera.
        numbered_apart: Whether training and test number their identities independently.
        test_is_trained_on: Whether test images are trained on, on purpose.
        counted_once: Whether test images that are listed more than once are used once
            (:func:`~.file_check.once_each`).
        unseen: Whether identities of the test set must not be in the training set.
    """

    camera_rule: bool = True
    numbered_apart: bool = False
    test_is_trained_on: bool = False
    counted_once: bool = False
    unseen: bool = False


def require_some_file(
    records: RecordTable, found: np.ndarray, where: str, lists: Sequence[str] = ()
) -> None:
    """Check that at least one image is there.

    Args:
        records: All records of a data set.
        found: Which files are there, shape (N,), bool.
        where: Name for messages.
        lists: Files that name the images.

    Raises:
        MissingFileError: If there are records, but no file.
    """
    missing = list(records.take(~found).paths())
    if missing and len(missing) == len(records):
        raise MissingFileError(
            f"{where}: none of the {len(records)} images{_listed(lists)} is there, for example "
            f"{shorten(missing)}. Paths in a list are relative to the folder of the list. Unpack "
            "the images there, or correct the paths."
        )


def missing_message(
    records: RecordTable, found: np.ndarray, where: str, lists: Sequence[str] = ()
) -> str:
    """Name the images that are not there; empty if all are. See :func:`require_some_file`."""
    missing = list(records.take(~found).paths())
    if not missing:
        return ""
    return (
        f"{where}: {len(missing)} of {len(records)} images{_listed(lists)} are not there: "
        f"{shorten(missing)}. Restore them, or take them off the list."
    )


def _listed(lists: Sequence[str]) -> str:
    return f" (named in {', '.join(lists)})" if lists else ""


def find_overlaps(records: RecordTable, files: Located, rules: Rules) -> list[Finding]:
    """Find images and identities that stand in two places, among those that are there.

    Args:
        records: All records of a data set.
        files: Where they are.
        rules: What is normal in this data set.
    """
    repeated = [[records[row] for row in same] for same in files.repeated()]
    findings = [
        _two_identities(repeated, rules),
        _train_and_test(repeated, rules),
        _query_and_gallery(repeated, rules),
        _listed_twice(repeated, rules),
        _shared_identities(records, files.found, rules),
    ]
    return [finding for finding in findings if finding is not None]


def _two_identities(repeated: list[list[Record]], rules: Rules) -> Finding | None:
    def people(records: list[Record]) -> set:
        return {(r["pid"], rules.numbered_apart and r["role"] != "train") for r in records}

    found = [same for same in repeated if len(people(same)) > 1]
    if rules.numbered_apart:  # one picture on both sides is said as such
        found = [same for same in found if len({r["role"] == "train" for r in same}) == 1]
    if not found:
        return None
    shown = [f"{s[0]['img_path']} ({_names(s)})" for s in found]
    text = f"{len(found)} images have two identities: {shorten(shown)}. Keep the right one."
    return Finding(text, True)


def _train_and_test(repeated: list[list[Record]], rules: Rules) -> Finding | None:
    if rules.test_is_trained_on:
        return None
    found = [s for s in repeated if len({r["role"] == "train" for r in s}) == 2]
    if not found:
        return None
    text = (
        f"{len(found)} images are in the training and in the test set: {_paths(found)}. A network "
        "remembers what it was trained on, so the score means nothing. Take them out of one."
    )
    return Finding(text, True)


def _query_and_gallery(repeated: list[list[Record]], rules: Rules) -> Finding | None:
    if rules.counted_once:
        return None
    found = [s for s in repeated if finds_itself(s, rules.camera_rule)]
    if not found:
        return None
    text = (
        f"{len(found)} images are query and gallery at once, and would find themselves: "
        f"{_paths(found)}. Take them out of the gallery, or use the protocol 'self_retrieval', "
        "which compares every image with all others."
    )
    return Finding(text, True)


def finds_itself(same: Sequence[Record], camera_rule: bool) -> bool:
    """Whether a picture that is listed several times would be found as its own match.

    Args:
        same: The records of one picture.
        camera_rule: Whether images of the query's own identity and camera are left out.
    """
    cameras = {role: {r["camid"] for r in same if r["role"] == role} for role in _TEST}
    if not all(cameras.values()):
        return False
    one_camera = cameras["query"] == cameras["gallery"] and len(cameras["query"]) == 1
    return not (camera_rule and one_camera)


def _listed_twice(repeated: list[list[Record]], rules: Rules) -> Finding | None:
    found = []
    for same in repeated:
        roles = [
            (r["role"], r["pid"]) for r in same if r["role"] == "train" or not rules.counted_once
        ]
        if len(set(roles)) < len(roles):
            found.append(same)
    if not found:
        return None
    text = (
        f"{len(found)} images are listed more than once for one purpose: {_paths(found)}. They "
        "count as often as they are listed. Keep one row of each."
    )
    return Finding(text, False)


def _shared_identities(records: RecordTable, found: np.ndarray, rules: Rules) -> Finding | None:
    if rules.test_is_trained_on or rules.numbered_apart:
        return None
    pids, is_train = records.ints("pid"), records.equal("role", "train") & found
    is_test = found & np.logical_or(*(records.equal("role", role) for role in _TEST))
    people, last = np.unique(pids[is_train][::-1], return_index=True)
    rows = np.flatnonzero(is_train)[::-1][last]
    shared = [records[row] for row in rows[np.isin(people, pids[is_test])]]
    if not shared:
        return None
    text = (
        f"{len(shared)} identities are in the training and in the test set: "
        f"{shorten([_name(r) for r in shared])}. Scores on people who were trained on are higher "
        "than on unseen people. Split by identity; if the test set only numbers its "
        "identities from the start again, nothing is wrong."
    )
    return Finding(text, rules.unseen)


def _paths(found: list[list[Record]]) -> str:
    return shorten([same[0]["img_path"] for same in found])


def _names(same: list[Record]) -> str:
    return " and ".join(dict.fromkeys(_name(record) for record in same))


def _name(record: Record) -> str:
    return str(record.get("pid_name", record["pid"]))
