"""Hold the nearest gallery images of the worst queries, before and after re-ranking.

Shapes: Q queries, G gallery images, N chosen queries, K images of a list, B queries of one block.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch
from torch import Tensor

from mmreid_ext.errors import UserError
from mmreid_ext.evaluation.retrieval.similarity import TIE


@dataclass(frozen=True)
class RankedList:
    """Hold what one way of ranking says about N chosen queries.

    Attributes:
        name: How the report calls it.
        distance: What the distances are, in words.
        scores: mAP, mINP, R1, ... as fractions, over **all** valid queries.
        cmc: CMC up to rank 50 over all valid queries, shape (50,).
        roc: False and true positive rates over all pairs, shape (2, n).
        all_ap: AP of all queries, shape (Q,), NaN where a query has no valid match.
        ap: AP of the chosen queries, shape (N,).
        first_match: Rank of the first match, from 1, shape (N,).
        indices: Gallery rows by rising distance, shape (N, K); -1 where the list is shorter.
        distances: Their distances, shape (N, K); NaN where the list is shorter.
        matches: Whether they show the query's identity, shape (N, K).
    """

    name: str
    distance: str
    scores: dict[str, float]
    cmc: np.ndarray
    roc: np.ndarray
    all_ap: np.ndarray
    ap: np.ndarray
    first_match: np.ndarray
    indices: np.ndarray
    distances: np.ndarray
    matches: np.ndarray


@dataclass(frozen=True)
class RankedLists:
    """Hold all that a ranked-list report shows, apart from the pictures.

    Attributes:
        queries: Rows of the chosen queries, worst AP first, shape (N,).
        lists: One :class:`RankedList`, or two when re-ranking was asked for.
        num_matches: Gallery images that count as matches of each chosen query, shape (N,).
        num_removed: Same identity in the same camera, taken out of its list, shape (N,).
        num_junk: Gallery images of identity -1, taken out of every list.
        query_pids: Identities of all queries, shape (Q,); likewise the three below. Cameras count
            from 0, below 0 is unknown; pictures count them from 1.
        gallery_distractors: Gallery images of nobody, shape (G,), bool, or None: not known.
        pid_names: Names that the user gave to identities, shown in place of the numbers.
    """

    queries: np.ndarray
    lists: tuple[RankedList, ...]
    num_matches: np.ndarray
    num_removed: np.ndarray
    num_junk: int
    query_pids: np.ndarray
    gallery_pids: np.ndarray
    query_camids: np.ndarray | None = None
    gallery_camids: np.ndarray | None = None
    gallery_distractors: np.ndarray | None = None
    pid_names: Mapping[int, str] | None = None

    def person(self, pid: int) -> str:
        """Return what an identity is called in pictures."""
        return (self.pid_names or {}).get(int(pid), f"pid {pid}")

    @property
    def topk(self) -> int:
        """Length of the lists."""
        return self.lists[0].indices.shape[1]


def with_known_cameras(ranked: RankedLists) -> RankedLists:
    """Leave the cameras out where none is known: there is nothing to show."""
    cameras = (ranked.query_camids, ranked.gallery_camids)
    if any(camids is not None and (camids >= 0).any() for camids in cameras):
        return ranked
    return replace(ranked, query_camids=None, gallery_camids=None)


def check_paths(
    ranked: RankedLists, query_paths: Sequence[str], gallery_paths: Sequence[str]
) -> None:
    """Refuse paths that don't name one file per query and gallery image.

    Raises:
        ValueError: If a number differs.
    """
    for name, paths, pids in (
        ("query_paths", query_paths, ranked.query_pids),
        ("gallery_paths", gallery_paths, ranked.gallery_pids),
    ):
        if len(paths) != len(pids):
            raise UserError(
                f"{name} has {len(paths)} entries for {len(pids)} embeddings: give one path for "
                "each, in the order that rank_queries was given."
            )


def top_matches(
    scores: Tensor, removed: Tensor, matches: Tensor, topk: int, ties: Tensor | float = TIE
) -> tuple[np.ndarray, np.ndarray]:
    """Find the first ranks of some queries, in the order that the score assumes.

    A match that ties with negatives comes after them, as the evaluator counts it: a picture never
    flatters.

    Args:
        scores: Shape (B, G), greater is nearer.
        removed: Gallery images that the protocol takes out of each list, shape (B, G), bool.
        matches: Gallery images that count as matches, none of them removed, shape (B, G).
        topk: Length of the lists.
        ties: How far below a match another image ties with it, shape (B, G) or a number.

    Returns:
        Columns by falling score and their scores, each of shape (B, topk); a list that is too short
        ends in -1 and NaN.
    """
    ranked = torch.where(matches, scores - ties, scores).masked_fill(removed, -torch.inf)
    count = min(topk, ranked.shape[1])
    limit = ranked.topk(count, dim=1).values[:, -1:]
    columns = np.full((len(ranked), topk), -1, dtype=np.int64)
    found = np.full((len(ranked), topk), np.nan)
    # All images down to the K-th score, not K of them: the choice among ties is made here.
    candidates = (ranked >= limit) & ~removed
    for row in range(len(ranked)):
        near = candidates[row].nonzero().flatten()
        match, score = (x[row, near].cpu().numpy() for x in (matches, ranked))
        order = np.lexsort([match, -score])[:count]
        columns[row, : len(order)] = near.cpu().numpy()[order]
        found[row, : len(order)] = scores[row, near].cpu().numpy()[order]
    return columns, found
