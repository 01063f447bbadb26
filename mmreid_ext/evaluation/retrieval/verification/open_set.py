"""Identify people against a gallery that doesn't know all of them.

Shapes: Q queries, G gallery images, B queries of one block, T draws, P people.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import ArrayLike
from torch import Tensor
from torch.nn.functional import normalize

from mmreid_ext.distributed import agreed, gather_rows, ranks_sharing
from mmreid_ext.errors import UserError
from mmreid_ext.evaluation.retrieval.inputs import RetrievalInputs
from mmreid_ext.evaluation.retrieval.similarity import TIE
from mmreid_ext.protocols.camera_rule import other_camera

from .settings import OPEN_SET_FPRS, check_open_set

_SCORES = 2**23
"""Numbers at once, 64 MiB: scores, or features of a tile of the gallery."""

_QUERIES = 256
"""Queries of a block, whatever the number of ranks; a gallery on disk is read once for each."""

_LITTLE_MORE = 1e-9
"""Added to counts of allowed queries: 0.1 * 30 is 3, whatever binary fractions make of it."""


@dataclass(frozen=True)
class OpenSetResult:
    """Figures of open-set identification, means over the draws.

    Attributes:
        dir_at_fpr: Detection and identification rate by false positive identification rate. NaN
            where a draw has fewer than ``1 / fpr`` queries of unknown people.
        threshold_at_fpr: Lowest accepted cosine similarity, likewise.
        num_known: Queries of known people in the draw that has fewest.
        num_unknown: The same of unknown people.
        settings: How the people were drawn.
    """

    dir_at_fpr: dict[float, float]
    threshold_at_fpr: dict[float, float]
    num_known: int
    num_unknown: int
    settings: dict[str, Any]


def evaluate_open_set(
    query_feats: Tensor | np.ndarray,
    gallery_feats: Tensor | np.ndarray,
    query_pids: ArrayLike,
    gallery_pids: ArrayLike,
    query_camids: ArrayLike | None = None,
    gallery_camids: ArrayLike | None = None,
    *,
    settings: Any = True,
    distributed: bool = False,
) -> OpenSetResult:
    r"""Identify queries, and reject those of people whom the gallery doesn't hold.

    A share of the people who have a match is drawn to be unknown: their gallery images are taken
    out. A query is accepted if its most similar gallery image reaches a threshold.

    * The **false positive identification rate** is the share of queries of unknown people that are
      accepted. The threshold is the lowest at which at most ``floor(rate * queries)`` are.
    * The **detection and identification rate** is the share of queries of known people that are
      accepted, and whose most similar gallery image shows them. A tie never helps.

    The camera rule removes images of a query's identity and camera; junk (-1) is dropped; images of
    people whom no query shows stay in the gallery, as enrolled strangers. Scores are float64.

    Args:
        query_feats: Shape (Q, D); normalised inside.
        gallery_feats: Shape (G, D).
        query_pids: Shape (Q,).
        gallery_pids: Shape (G,).
        query_camids: Shape (Q,), or None: no camera rule.
        gallery_camids: Shape (G,), or None.
        settings: See :func:`check_open_set`.
        distributed: Whether ranks share the queries; all give the same arrays and get the same.

    Raises:
        ValueError: If fewer than two people have a match.

    References:
        P. J. Phillips, P. Grother, R. Micheals, "Evaluation Methods in Face Recognition", Handbook
        of Face Recognition, 2nd ed., Springer 2011,
        https://doi.org/10.1007/978-0-85729-932-1_21: detection and identification rate at rank 1
        against false alarm rate. For people: S. Liao et al., "Open-set Person Re-identification",
        arXiv 2014, https://arxiv.org/abs/1408.0872.
    """
    inputs = RetrievalInputs.check(
        query_feats, gallery_feats, query_pids, gallery_pids, query_camids, gallery_camids
    )
    chosen = check_open_set(settings) or {}
    answered = _answered(inputs)
    people = torch.unique(inputs.query_pids[answered])
    unknown = _drawn(people, **chosen)
    scores = _scores(inputs, answered, people, unknown, distributed)
    labels = torch.searchsorted(people, inputs.query_pids[answered])
    is_unknown = unknown[:, labels].cpu().numpy()
    per_draw = [
        _rates(own, best, asked)
        for own, best, asked in zip(*scores.cpu().numpy(), is_unknown, strict=True)
    ]
    rates, thresholds = np.mean(per_draw, axis=0).T.tolist()
    return OpenSetResult(
        dict(zip(OPEN_SET_FPRS, rates, strict=True)),
        dict(zip(OPEN_SET_FPRS, thresholds, strict=True)),
        int((~is_unknown).sum(axis=1).min()),
        int(is_unknown.sum(axis=1).min()),
        chosen,
    )


def _answered(inputs: RetrievalInputs) -> Tensor:
    """Return the queries that have a match, ascending."""
    found = []
    for rows in torch.arange(len(inputs.query)).split(_block(inputs)):
        matches, removed = _same(inputs, rows)
        found.append((matches & ~removed).any(dim=1))
    return torch.cat(found).nonzero().flatten() if found else torch.empty(0, dtype=torch.int64)


def _block(inputs: RetrievalInputs) -> int:
    return max(_SCORES // max(len(inputs.gallery), 1), 1)


def _same(inputs: RetrievalInputs, rows: Tensor) -> tuple[Tensor, Tensor]:
    """Say which gallery images show the queries' identities, and which of them are removed."""
    same = inputs.query_pids[rows][:, None] == inputs.gallery_pids
    if inputs.query_camids is None or inputs.gallery_camids is None:
        return same, torch.zeros_like(same)
    other = other_camera(inputs.query_camids[rows][:, None], inputs.gallery_camids)
    return same, same & ~other


def _drawn(people: Tensor, unknown: float, draws: int, seed: int) -> Tensor:
    """Draw who is unknown, (T, P), bool: at least one person, and not all."""
    if len(people) < 2:
        raise UserError(
            f"open_set: {len(people)} people have a query and a match, at least 2 are needed: one "
            "who is known and one who isn't. Use open_set=None for this test set."
        )
    number = min(max(round(unknown * len(people)), 1), len(people) - 1)
    drawn = torch.zeros(draws, len(people), dtype=torch.bool)
    for draw in range(draws):
        # This stream of NumPy's is frozen, so a draw is the same in every version.
        order = np.random.RandomState([seed, draw]).permutation(len(people))
        drawn[draw, torch.from_numpy(order[:number])] = True
    return drawn.to(people.device)


def _scores(
    inputs: RetrievalInputs, answered: Tensor, people: Tensor, unknown: Tensor, distributed: bool
) -> Tensor:
    """Return the best scores of the own identity, and of others who are enrolled: (2, T, Q).

    Minus infinity where there is none.
    """
    place = torch.searchsorted(people, inputs.gallery_pids).clamp_(max=len(people) - 1)
    of_people = people[place] == inputs.gallery_pids
    gone = unknown[:, place] & of_people  # (T, G)
    rank, ranks = ranks_sharing(distributed)
    blocks = list(answered.split(_QUERIES))
    empty = torch.empty(0, 2, len(unknown), dtype=torch.float64, device=people.device)
    with agreed("open set", distributed):
        ranked = torch.cat([empty, *(_best(inputs, rows, gone) for rows in blocks[rank::ranks])])
    if distributed:
        ranked = gather_rows(ranked)
        order = torch.cat([torch.cat(blocks[r::ranks]) for r in range(ranks) if blocks[r::ranks]])
        ranked = ranked[torch.argsort(order)]
    return ranked.permute(1, 2, 0)


def _best(inputs: RetrievalInputs, rows: Tensor, gone: Tensor) -> Tensor:
    """Return the best scores of a block of queries, (B, 2, T); reads one tile after another.

    Args:
        inputs: Features, which may be on disk, and labels.
        rows: The queries, (B,).
        gone: Which gallery images each draw takes out, (T, G).
    """
    query = normalize(inputs.query[rows].double(), dim=1)
    same, removed = _same(inputs, rows)
    best = query.new_full((len(rows), 2, len(gone)), -torch.inf)
    size = max(_SCORES // max(query.shape[1], len(rows)), 1)
    for start in range(0, len(inputs.gallery), size):
        tile = slice(start, start + size)
        scores = query @ normalize(inputs.gallery[tile].double(), dim=1).T
        own = scores.masked_fill(~same[:, tile] | removed[:, tile], -torch.inf).amax(dim=1)
        others = scores.masked_fill(same[:, tile], -torch.inf)
        found = [others.masked_fill(out[tile], -torch.inf).amax(dim=1) for out in gone]
        both = torch.stack([own[:, None].expand(-1, len(gone)), torch.stack(found, dim=1)], dim=1)
        best = torch.maximum(best, both)
    return best


def _rates(own: np.ndarray, others: np.ndarray, is_unknown: np.ndarray) -> list[list[float]]:
    """Return rate and threshold of one draw at each false positive rate.

    Args:
        own: Best score of the own identity, (Q,).
        others: Best score of others who are enrolled, (Q,).
        is_unknown: Whether the query shows an unknown person, (Q,).
    """
    strangers = np.sort(others[is_unknown])[::-1]
    own, others = own[~is_unknown], others[~is_unknown]
    identified = own > others + TIE
    found = []
    for fpr in OPEN_SET_FPRS:
        allowed = math.floor(fpr * len(strangers) + _LITTLE_MORE)
        if not allowed:
            found.append([math.nan, math.nan])
            continue
        kept_out = strangers[allowed]  # fewer are allowed than there are: every rate is below 1
        threshold = np.nextafter(max(kept_out, -1.0), np.inf)
        found.append([float((identified & (own >= threshold)).mean()), float(threshold)])
    return found
