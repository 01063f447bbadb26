"""Write the lists of queries as CSV or JSON, one query at a time."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from mmreid_ext.errors import UserError
from mmreid_ext.evaluation.embedding_set import EmbeddingSet
from mmreid_ext.output_files.atomic import atomic_open
from mmreid_ext.protocols.camera_label import camera_label

from .query_lists import QueryList

SUFFIXES = (".csv", ".json")


class ListedSet(NamedTuple):
    """Lists of one split of one test set.

    Attributes:
        images: The test set.
        split: Number of the split, from 1.
        trial: Number of its trial, from 1: metrics pool the splits of a trial, and average trials.
        protocol: Its description; None: nobody judges these lists.
        pid_names: Names that the user gave to identities.
        lists: One per query.
    """

    images: EmbeddingSet
    split: int
    trial: int
    protocol: dict[str, Any] | None
    pid_names: Mapping[int, str]
    lists: Iterable[QueryList]


def check_list_suffix(out: Path) -> None:
    """Check that a file of lists has a name that can be written.

    Raises:
        UserError: If it ends otherwise.
    """
    if out.suffix not in SUFFIXES:
        raise UserError(f"--out {out}: must end with {' or '.join(SUFFIXES)}.")


def write_lists(
    out: Path, sets: Iterable[ListedSet], score: str, about: Mapping[str, Any]
) -> tuple[int, int]:
    """Write lists, whole or not at all.

    Args:
        out: File, ``.csv`` (one row per image found) or ``.json`` (one object per query).
        sets: What to write.
        score: What the scores are, see :data:`.query_lists.SCORES`.
        about: Further entries of the JSON file.

    Returns:
        Number of queries, and of those that found nothing.
    """
    check_list_suffix(out)
    write = _write_csv if out.suffix == ".csv" else _write_json
    return write(out, sets, score, about)


def _described(images: EmbeddingSet, row: int, names: Mapping[int, str]) -> dict[str, str]:
    """Say what an image shows; empty where unknown."""
    pid, camid = int(images.pids[row]), int(images.camids[row])
    return dict(
        path=str(images.names[row]) or f"row {row}",
        person=names.get(pid, str(pid)) if pid >= 0 else "",
        camera=camera_label(camid) if camid >= 0 else "",
    )


def _match(images: EmbeddingSet, query: int, row: int) -> bool | None:
    """Whether two images show one person; None where that isn't known."""
    if images.pids[query] < 0 or images.pids[row] < 0:
        return None
    if images.distractors[query] or images.distractors[row]:
        return False
    return bool(images.pids[query] == images.pids[row])


def _found(one: ListedSet, found: QueryList, score: str) -> Iterator[dict[str, Any]]:
    for rank, (row, value) in enumerate(zip(found.rows.tolist(), found.scores, strict=True), 1):
        yield dict(
            rank=rank,
            **_described(one.images, row, one.pid_names),
            **{score: float(value)},
            match=_match(one.images, found.query, row),
        )


def _write_csv(
    out: Path, sets: Iterable[ListedSet], score: str, about: Mapping[str, Any]
) -> tuple[int, int]:
    queries = empty = 0
    flags = {True: "1", False: "0", None: ""}
    asked = ["set", "split", "query", "query_person", "query_camera", "matches"]
    with atomic_open(out, "w", encoding="utf-8", newline="", errors="surrogateescape") as file:
        writer = csv.writer(file)
        writer.writerow([*asked, "rank", "path", "person", "camera", score, "match"])
        for one in sets:
            for found in one.lists:
                query = _described(one.images, found.query, one.pid_names)
                start = [one.images.title, one.split, *query.values(), found.num_matches]
                for hit in _found(one, found, score):
                    *values, match = hit.values()
                    writer.writerow([*start, *values, flags[match]])
                queries, empty = queries + 1, empty + (not len(found.rows))
    return queries, empty


def _write_json(
    out: Path, sets: Iterable[ListedSet], score: str, about: Mapping[str, Any]
) -> tuple[int, int]:
    queries = empty = 0
    described: list[dict[str, Any]] = []
    with atomic_open(out, "w", encoding="utf-8") as file:
        file.write("{" + f'"score": {json.dumps(score)}, "queries": [')
        for one in sets:
            place = dict(set=one.images.title, split=one.split)
            described.append(dict(place, trial=one.trial, protocol=one.protocol))
            for found in one.lists:
                entry = dict(
                    place,
                    **_described(one.images, found.query, one.pid_names),
                    matches=found.num_matches,
                    removed=found.num_removed,
                    found=list(_found(one, found, score)),
                )
                file.write(",\n" * (queries > 0) + json.dumps(entry, allow_nan=False))
                queries, empty = queries + 1, empty + (not len(found.rows))
        rest = json.dumps(dict(about, sets=described), allow_nan=False)
        file.write(f"],\n{rest[1:]}\n")
    return queries, empty
