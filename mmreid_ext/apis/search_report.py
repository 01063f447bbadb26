"""Write the lists of a search: on the screen, as CSV and as JSON."""

from __future__ import annotations

import csv
import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from mmreid_ext.evaluation.results.table import text_table
from mmreid_ext.output_files.atomic import atomic_open, atomic_write
from mmreid_ext.shorten import one_line
from mmreid_ext.verdicts.answers import rates_note
from mmreid_ext.verdicts.thresholds import Threshold

_LONGEST_PATH = 4096
"""Characters of a path on the screen, as many as a path may have; unprintable ones are replaced."""


@dataclass(frozen=True)
class Hit:
    """A picture that was found.

    Attributes:
        rank: Its place in the list, from 1.
        path: Its name in the gallery.
        similarity: Cosine to the query, in [-1, 1].
        person: Name or number of the person, empty where unknown.
        camera: Its camera, empty where unknown.
        same: The strictest answer, see
            :func:`mmreid_ext.verdicts.answers.same_person`.
    """

    rank: int
    path: str
    similarity: float
    person: str
    camera: str
    same: str


@dataclass(frozen=True)
class Found:
    """What was found for one query.

    Attributes:
        query: Its file.
        hits: Best first.
        itself: Whether the query is in the gallery, and was left out of its own list.
    """

    query: str
    hits: list[Hit]
    itself: bool = False


def search_text(found: Sequence[Found], thresholds: Sequence[Threshold]) -> str:
    """Write a table per query.

    Args:
        found: The lists.
        thresholds: Those of the model, for the line below the tables.
    """
    parts = []
    for one in found:
        columns = ["rank", "similarity"]
        columns += ["same person?"] * any(hit.same for hit in one.hits)
        columns += ["person"] * any(hit.person for hit in one.hits)
        columns += ["camera"] * any(hit.camera for hit in one.hits)
        rows = [[_cell(hit, column) for column in [*columns, "picture"]] for hit in one.hits]
        body = text_table([[*columns, "picture"], *rows]) if rows else "nothing was found"
        note = " (it is in the gallery itself, and left out)" if one.itself else ""
        parts.append(f"{one_line(one.query, _LONGEST_PATH)}{note}\n{body}")
    return "\n\n".join(filter(None, [*parts, rates_note(thresholds)]))


def _cell(hit: Hit, column: str) -> str:
    if column == "similarity":
        return f"{hit.similarity:.3f}"
    names = {"same person?": hit.same, "picture": one_line(hit.path, _LONGEST_PATH)}
    return names.get(column) or str(getattr(hit, column, "") or "")


def search_data(
    found: Sequence[Found], model: str, thresholds: Sequence[Threshold]
) -> dict[str, Any]:
    """Return the lists as JSON types."""
    return {
        "model": model,
        "thresholds": [vars(threshold) for threshold in thresholds],
        "queries": [
            {"query": one.query, "itself": one.itself, "hits": [dict(vars(h)) for h in one.hits]}
            for one in found
        ],
    }


def write_search_json(path: str | os.PathLike, data: Mapping[str, Any]) -> None:
    """Write what :func:`search_data` returns."""
    atomic_write(path, (json.dumps(data, indent=1, allow_nan=False) + "\n").encode())


def write_search_csv(path: str | os.PathLike, found: Sequence[Found]) -> None:
    """Write one row per picture that was found."""
    # A file name may hold bytes that are no text.
    with atomic_open(path, "w", encoding="utf-8", newline="", errors="backslashreplace") as file:
        writer = csv.writer(file)
        writer.writerow(["query", "rank", "path", "similarity", "person", "camera", "same"])
        for one in found:
            for h in one.hits:
                writer.writerow(
                    [one.query, h.rank, h.path, repr(h.similarity), h.person, h.camera, h.same]
                )
