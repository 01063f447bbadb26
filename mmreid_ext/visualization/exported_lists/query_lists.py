"""List what every query of a test set finds, in the order that its metrics count."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

import numpy as np
import torch

from mmreid_ext.evaluation.embedding_set import EmbeddingSet
from mmreid_ext.evaluation.retrieval.settings import Progress
from mmreid_ext.protocols import JUNK, Labels, Split
from mmreid_ext.visualization.pair_blocks import PairBlocks
from mmreid_ext.visualization.rank_queries import reranked_similarity, top_lists

SCORES = {"cosine": "cosine_similarity", "euclidean": "euclidean_distance"}
"""What the scores of a list are, by distance."""

RERANKED = "k_reciprocal_distance"
"""What they are after re-ranking."""


class QueryList(NamedTuple):
    """What one query finds.

    Attributes:
        query: Row of the query in the test set.
        rows: Rows of what it finds, best first, shape (K,).
        scores: Similarity or distance of each, shape (K,), float64; see :data:`SCORES`.
        num_matches: Gallery images that count as matches.
        num_removed: Gallery images that the camera rule takes out of this list.
    """

    query: int
    rows: np.ndarray
    scores: np.ndarray
    num_matches: int
    num_removed: int


def is_unjudged(images: EmbeddingSet) -> bool:
    """Whether a test set has no query of a known person, so that no protocol can judge it."""
    return not (images.pids[images.roles == "query"] != JUNK).any()


def unjudged_split(images: EmbeddingSet) -> tuple[Split, Labels]:
    """Return the split of images whose people are unknown, and labels by which nothing is junk.

    Queries meet the gallery if there are both. Otherwise every image meets all others. Nobody is
    anybody's match.
    """
    query, gallery = (np.flatnonzero(images.roles == role) for role in ("query", "gallery"))
    if len(query) and len(gallery):
        return Split(query, gallery), Labels(query, gallery)
    rows = np.arange(len(images))
    # A "camera" of its own per image takes the image itself out of its list.
    return Split(rows, rows, 0, rows, rows, each_alone=True), Labels(rows, rows, rows, rows)


def query_lists(
    images: EmbeddingSet,
    split: Split,
    labels: Labels,
    topk: int | None = 10,
    *,
    distance: str = "cosine",
    rerank: Mapping[str, Any] | None = None,
    progress: Progress | None = None,
) -> Iterator[QueryList]:
    """Yield the list of every query but junk, in the order of the split.

    Lists leave out what the metrics leave out: junk, and what the camera rule removes. A match that
    ties with others follows them, as it is counted. Some queries are held at a time.

    Args:
        images: One test set.
        split: Its queries and its gallery.
        labels: How they are ranked, from :meth:`Labels.of` or :func:`unjudged_split`.
        topk: Length of the lists; None: whole ones. Defaults to 10.
        distance: ``'cosine'`` or ``'euclidean'``.
        rerank: Complete settings of a re-ranking, or None.
        progress: Called with ('lists', done, in all) after each block of queries.
    """
    pairs = PairBlocks(
        images.query_features(split, distance),
        images.features(split.gallery),
        labels.query_pids,
        labels.gallery_pids,
        labels.query_camids,
        labels.gallery_camids,
        distance=distance,
    )
    similarity = pairs.similarity if rerank is None else reranked_similarity(pairs, rerank)
    length = len(pairs.gallery_rows) if topk is None else min(topk, len(pairs.gallery_rows))
    asked, done = np.flatnonzero(labels.query_pids != JUNK), 0
    for block in pairs.split(asked):
        chosen = block.cpu().numpy()
        columns, scores = top_lists(pairs, similarity, chosen, length)
        if rerank is not None:
            scores = -scores
        elif distance == "euclidean":
            scores = pairs.to_distance(torch.from_numpy(scores)).numpy()
        counts = [pairs.count(mask, chosen) for mask in (pairs.matches, pairs.removed)]
        for row, found, values, matches, removed in zip(
            split.query[chosen], columns, scores, *counts, strict=True
        ):
            real = found >= 0
            rows = split.gallery[pairs.gallery_rows[found[real]]]
            yield QueryList(int(row), rows, values[real], int(matches), int(removed))
        done += len(chosen)
        if progress is not None:
            progress("lists", done, len(asked))
