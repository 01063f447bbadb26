"""Search a gallery for pictures, and write what was found."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from mmreid_ext.deploy.gallery.picture_hash import picture_hash
from mmreid_ext.errors import MissingFileError, UserError
from mmreid_ext.evaluation.results.table import text_table
from mmreid_ext.moments import iso
from mmreid_ext.pictures.picture_file import read_regular_file
from mmreid_ext.shorten import one_line
from mmreid_ext.verdicts.answers import rates_note, same_person
from mmreid_ext.verdicts.thresholds import Threshold

from .adding import picture_of
from .listing import list_entries
from .moments import shown

if TYPE_CHECKING:
    from mmreid_ext.deploy import Gallery

    from .models import Model

_LONGEST_PATH = 4096


@dataclass(frozen=True)
class Query:
    """A picture that is searched for.

    Attributes:
        file: Its path.
        hash: What the gallery would know it by.
        embedding: (D,), unit length.
    """

    file: str
    hash: bytes
    embedding: np.ndarray


@dataclass(frozen=True)
class Found:
    """What was found for a query.

    Attributes:
        query: Its file.
        hits: Best first, see :class:`mmreid_ext.deploy.gallery.Hit`.
        itself: Whether the query is in the gallery, and was left out of its own list.
    """

    query: str
    hits: list[Any]
    itself: bool = False


def embed_queries(
    model: Model, given: Sequence[str], batch: int = 64
) -> tuple[list[Query], dict[str, str]]:
    """Embed query pictures; folders give theirs.

    Returns:
        The queries, and the reason by file of those that can't be read.

    Raises:
        UserError: If none can be read.
    """
    files = [entry.file for source in given for entry in list_entries(_no_table(source))]
    queries: list[Query] = []
    lost: dict[str, str] = {}
    for start in range(0, len(files), batch):
        read: list[tuple[Path, bytes, Any]] = []
        for file in files[start : start + batch]:
            try:
                content = read_regular_file(file)
                read.append((file, picture_hash(content), model.prepare(picture_of(content))))
            except (OSError, UserError) as error:
                lost[str(file)] = getattr(error, "strerror", None) or str(error)
        if read:
            embeddings = model.embed([prepared for _, _, prepared in read])
            queries += [
                Query(str(file), known, embedding)
                for (file, known, _), embedding in zip(read, embeddings, strict=True)
            ]
    if not queries:
        name, reason = next(iter(lost.items()))
        raise UserError(f"No query can be read, first {name}: {reason}.")
    return queries, lost


def _no_table(source: str) -> str:
    if not Path(source).exists():
        raise MissingFileError(f"No picture and no folder {source!r}.")
    if Path(source).suffix.lower() == ".csv":
        raise UserError(f"{source!r} is a table; queries are pictures or folders.")
    return source


def search(gallery: Gallery, queries: Sequence[Query], topk: int, **options: Any) -> list[Found]:
    """Search for each query, and leave the picture itself out of its list.

    Args:
        gallery: Where.
        queries: What for.
        topk: Length of the lists.
        **options: ``filters``, ``rerank``, see :meth:`mmreid_ext.deploy.Gallery.search`.
    """
    own = gallery.find([query.hash for query in queries])
    # One more, so that a list is full without the query itself.
    more = any(place is not None for place in own)
    embeddings = np.stack([query.embedding for query in queries])
    lists = gallery.search(embeddings, topk=topk + more, **options)
    found = []
    for query, place, hits in zip(queries, own, lists, strict=True):
        others = [hit for hit in hits if hit.id != place]
        found.append(Found(query.file, others[:topk], len(others) < len(hits)))
    return found


def search_text(
    found: Sequence[Found], thresholds: Sequence[Threshold], conditions: bool = False
) -> str:
    """Write a table per query.

    Args:
        found: The lists.
        thresholds: Those of the model, for the line below the tables.
        conditions: Whether cameras, times or people were asked for, so that an empty list says why.
    """
    parts = []
    nothing = "nothing was found"
    if conditions:
        nothing += "; pictures of unknown camera, time or person pass no condition on it"
    for one in found:
        note = " (it is in the gallery itself, and left out)" if one.itself else ""
        body = _table(one.hits, thresholds) if one.hits else nothing
        parts.append(f"{one_line(one.query, _LONGEST_PATH)}{note}\n{body}")
    rates = rates_note(thresholds) if any(one.hits for one in found) else ""
    return "\n\n".join(filter(None, [*parts, rates]))


def _table(hits: Sequence[Any], thresholds: Sequence[Threshold]) -> str:
    columns = {
        "rank": [str(place) for place in range(1, len(hits) + 1)],
        "similarity": [f"{hit.similarity:.3f}" for hit in hits],
        "same person?": [same_person(hit.similarity, thresholds) for hit in hits],
        "person": [one_line(hit.identity or "") for hit in hits],
        "camera": [one_line(hit.camera or "") for hit in hits],
        "time (UTC)": [shown(hit.time) for hit in hits],
        "id": [str(hit.id) for hit in hits],
        "picture": [one_line(hit.source or "", _LONGEST_PATH) for hit in hits],
    }
    kept = {name: cells for name, cells in columns.items() if any(cells)}
    return text_table([list(kept), *map(list, zip(*kept.values(), strict=True))])


def search_data(
    found: Sequence[Found], model: str, thresholds: Sequence[Threshold]
) -> dict[str, Any]:
    """Return the lists as JSON types."""
    return {
        "model": model,
        "thresholds": [vars(threshold) for threshold in thresholds],
        "queries": [
            {
                "query": one.query,
                "itself": one.itself,
                "hits": [
                    {
                        "rank": rank,
                        "id": hit.id,
                        "similarity": hit.similarity,
                        "same": same_person(hit.similarity, thresholds),
                        "identity": hit.identity,
                        "camera": hit.camera,
                        "time": iso(hit.time),
                        "source": hit.source,
                    }
                    for rank, hit in enumerate(one.hits, 1)
                ],
            }
            for one in found
        ],
    }
