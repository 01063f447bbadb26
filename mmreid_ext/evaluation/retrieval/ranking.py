"""Rank a gallery for every query: CMC, mAP, mINP and operating points, exactly.

Shapes: Q queries, G gallery images, B queries of one chunk, M matches of a chunk.
"""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import ArrayLike
from torch import Tensor

from mmreid_ext.distributed import agreed, gather_rows, ranks_sharing

from .full_precision import full_precision
from .inputs import RetrievalInputs
from .operating_points import ScoreHistogram
from .rank_counting import RankCounter
from .re_ranking import RerankedSimilarity, rerank_similarity
from .result import RetrievalResult
from .same_identity import IdentityIndex
from .settings import RERANK_DEFAULTS, Progress, check_choices
from .similarity import FeatureSimilarity

_FIELDS = 3  # what is known of a ranked query: AP, INP, rank of the first match


def evaluate_retrieval(
    query_feats: Tensor | np.ndarray,
    gallery_feats: Tensor | np.ndarray,
    query_pids: ArrayLike,
    gallery_pids: ArrayLike,
    query_camids: ArrayLike | None = None,
    gallery_camids: ArrayLike | None = None,
    *,
    distance: str = "cosine",
    max_rank: int = 50,
    rerank: dict | None = None,
    counting: str = "standard",
    memory_budget: int | None = None,
    distributed: bool = False,
    progress: Progress | None = None,
    protocol: str | None = None,
) -> RetrievalResult:
    r"""Rank the gallery for every query and score the ranking, exactly and in little memory.

    For a query with ``R`` matches at ranks :math:`r_1 < \dots < r_R`

    .. math:: AP = \frac1R \sum_k \frac{k}{r_k}, \qquad INP = \frac{R}{r_R}, \qquad
              CMC(r) = [r_1 \le r]

    averaged over the queries that have a match. Rules:

    * Gallery images of identity -1 (junk) are dropped; those of an identity that no query has
      (Market-1501's distractors, 0) stay and match nobody. With cameras, images of the query's
      identity and camera are removed from its ranking, and later ranks close up. A query without
      a match left is not valid: its ``ap`` is NaN and no mean counts it.
    * Scores are those of float64 arithmetic: float32 products decide where they can, the rest is
      scored again. A negative (an image of another identity) is ahead of a match if its score is
      higher, equal, or lower by no more than 2**-40. For the Euclidean distance it is ahead if its
      squared distance is greater by no more than 2**-40 of the square of the sum of the match's
      two norms. So ties never help, and the order of the gallery, the tiles, the device, the number
      of ranks and the floating type change nothing.
    * TPR@FPR and ROC take the pairs of valid queries, without what the camera rule removes. Up to
      2**30 products of two numbers (Q * G * D) they come from float64 scores; beyond, from float32
      ones, and pairs within 2**-17 of a threshold may fall on its other side.
    * Ranks are found by counting the negatives above each match; nothing is sorted, and no (Q, G)
      array exists.

    Args:
        query_feats: Shape (Q, D), any floating type; normalised inside for the cosine.
        gallery_feats: Shape (G, D), same device.
        query_pids: Shape (Q,), integers.
        gallery_pids: Shape (G,), integers.
        query_camids: Shape (Q,), integers, below 0: unknown; or None: no camera rule. A match
            counts where both cameras are known and differ.
        gallery_camids: Shape (G,), integers, or None.
        distance: ``'cosine'`` or ``'euclidean'`` (features as given). Re-ranking is defined on
            normalised features and takes no notice of it.
        max_rank: Length of the CMC; ranks past the end of the gallery repeat its last value.
        rerank: None, or the arguments ``k1, k2, lambda_value`` of
            :func:`~mmreid_ext.evaluation.k_reciprocal_rerank`: ranks by its distances, which are
            computed a few queries at a time.
        counting: ``'standard'``, or ``'paddleclas'``: images of the query's identity and camera
            stay in the ranking with similarity 0, as negatives. Cosine without re-ranking only:
            when it re-ranks, PaddleClas removes them too.
        memory_budget: Working memory in bytes over the inputs. Defaults to 64 MiB on a CPU, or a
            sixth of the features where that is more, and 1 GiB on other devices (re-ranking: 256
            MiB and 4 GiB).
        distributed: All ranks hold the same arguments and rank a share of the queries each; all
            return the same result.
        progress: Called with (stage, done, in all) after each piece of work, stages being
            ``'neighbours'`` (re-ranking only) and ``'ranking'``.
        protocol: The old name of ``counting``; it works, with a warning.

    Returns:
        The scores, as fractions.

    Raises:
        TypeError: For features that are not floating or labels that are not integers.
        ValueError: For NaN or infinite features, shapes that do not fit, unknown names.
        RankLostError: If another rank failed at its share.

    Warns:
        UserWarning: Of embeddings 100 times as long as the median under Euclidean distance.
        FutureWarning: If ``protocol`` is given.

    Protocol: Zheng et al., "Scalable person re-identification: a benchmark", ICCV 2015,
    https://doi.org/10.1109/ICCV.2015.133 (its MATLAB tool takes the trapezoid for AP; here, as in
    all later tools, plain precision). mINP: Ye et al., TPAMI 2021, https://arxiv.org/abs/2001.04193.
    """
    if protocol is not None:
        text = "evaluate_retrieval(protocol=) is now called counting=; use that name."
        warnings.warn(text, FutureWarning, stacklevel=2)
        counting = protocol
    check_choices(distance, counting, max_rank, rerank)
    inputs = RetrievalInputs.check(
        query_feats, gallery_feats, query_pids, gallery_pids, query_camids, gallery_camids
    )
    similarity = _prepare_scores(inputs, distance, rerank, memory_budget, distributed, progress)
    return rank_by(similarity, inputs, max_rank, counting, distributed, progress)


def _prepare_scores(
    inputs: RetrievalInputs,
    distance: str,
    rerank: Mapping[str, Any] | None,
    memory_budget: int | None,
    distributed: bool,
    progress: Progress | None,
) -> FeatureSimilarity | RerankedSimilarity:
    """Prepare scores by distance, or by re-ranked distance; see :func:`evaluate_retrieval`."""
    query, gallery, rows = inputs.query, inputs.gallery, inputs.gallery_rows
    with full_precision(gallery.device):
        if rerank is None or len(query) == 0 or len(gallery) == 0:
            return FeatureSimilarity(query, gallery, distance, rows, memory_budget)
        return rerank_similarity(
            query,
            gallery,
            memory_budget,
            distributed=distributed,
            progress=progress,
            gallery_rows=rows,
            **{**RERANK_DEFAULTS, **rerank},
        )


def rank_by(
    similarity: FeatureSimilarity | RerankedSimilarity,
    inputs: RetrievalInputs,
    max_rank: int = 50,
    counting: str = "standard",
    distributed: bool = False,
    progress: Progress | None = None,
) -> RetrievalResult:
    """Rank by scores that are prepared; the rest as for :func:`evaluate_retrieval`.

    Args:
        similarity: Scores of the images of ``inputs``.
        inputs: Checked features and labels.
        max_rank: Length of the CMC.
        counting: ``'standard'`` or ``'paddleclas'``.
        distributed: Whether ranks share the queries.
        progress: Called with (stage, done, in all).
    """
    with full_precision(inputs.gallery.device):
        histogram = ScoreHistogram(inputs.gallery.device, exact=similarity.is_little)
        ranker = _ChunkRanker(similarity, IdentityIndex(inputs), histogram, counting)
        fields = ranker.unknown(len(inputs.query))
        rank, world_size = ranks_sharing(distributed)
        chunks = ranker.index.chunks(similarity.shape.rows)[rank::world_size]
        with agreed("ranking", distributed):
            for done, chunk in enumerate(chunks, 1):
                fields[chunk] = ranker.rank(chunk)
                if progress is not None:
                    progress("ranking", done, len(chunks))
        if distributed:
            histogram.join_ranks()
            fields = _join_ranks(fields, chunks)
        ap, inp, first_hit = fields.T.cpu().numpy().copy()
        cosine = isinstance(similarity, FeatureSimilarity) and not similarity.shifted
        return RetrievalResult.of_queries(ap, inp, first_hit, histogram, max_rank, cosine)


def _join_ranks(fields: Tensor, chunks: list[Tensor]) -> Tensor:
    """Put the queries that the ranks have ranked together."""
    mine = torch.cat([fields.new_empty(0, dtype=torch.int64), *chunks])
    where, values = gather_rows(mine), gather_rows(fields[mine])
    fields[where] = values
    return fields


@dataclass(frozen=True)
class _ChunkRanker:
    """Rank some queries at a time: everything but the queries."""

    similarity: FeatureSimilarity | RerankedSimilarity
    index: IdentityIndex
    histogram: ScoreHistogram
    counting: str

    def unknown(self, number: int) -> Tensor:
        """Return the fields of queries that have no match, (number, 3)."""
        device = self.index.pids.device
        return torch.full((number, _FIELDS), torch.nan, dtype=torch.float64, device=device)

    def rank(self, chunk: Tensor) -> Tensor:
        """Return AP, INP and rank of the first match of some queries, (B, 3)."""
        same = self.index.pairs(chunk)
        valid = torch.bincount(same.rows[same.counts], minlength=len(chunk)) > 0
        if not valid.all():  # they have no metric, and no other metric may depend on their chunk
            fields = self.unknown(len(chunk))
            if valid.any():
                fields[valid] = self.rank(chunk[valid])
            return fields
        counter = RankCounter(
            self.similarity.rows(chunk), same, self.similarity.shape, self.histogram
        )
        ahead = counter.count(len(self.similarity))
        rows = counter.match_rows
        if self.counting == "paddleclas":
            removed = torch.bincount(same.rows[~same.counts], minlength=len(chunk))
            ahead = ahead + removed[rows] * (counter.thresholds <= 0)
        # matches are ascending in score: the last of a row is its first hit
        hits = counter.starts[rows + 1] - torch.arange(len(rows), device=rows.device)  # (M,)
        ranks = (hits + ahead).double()
        number = counter.starts.diff()  # (B,)
        worst, best = counter.starts[:-1], counter.starts[1:] - 1
        precision = torch.zeros(len(chunk), dtype=torch.float64, device=rows.device)
        precision.index_add_(0, rows, hits / ranks)
        return torch.stack([precision / number, number / ranks[worst], ranks[best]], dim=1)
