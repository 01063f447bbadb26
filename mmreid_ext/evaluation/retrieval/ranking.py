"""Exact ranking: CMC, mAP, mINP and operating points."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import torch
from numpy.typing import ArrayLike
from torch import Tensor

from mmreid_ext.distributed import gather_rows, get_rank, get_world_size
from mmreid_ext.errors import UserError
from mmreid_ext.protocols.camera_rule import other_camera

from .full_precision import full_precision
from .inputs import RetrievalInputs
from .operating_points import ScoreHistogram
from .rank_counting import RankCounter, SameIdentity
from .re_ranking import RerankedSimilarity, rerank_similarity
from .result import RetrievalResult
from .settings import RERANK_DEFAULTS, Progress, check_rerank
from .similarity import FeatureSimilarity
from .tiles import TileShape, default_budget, tile_shape

DISTANCES = ("cosine", "euclidean")
PROTOCOLS = ("standard", "paddleclas")
FPRS = (1e-4, 1e-3, 1e-2, 1e-1)
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
    protocol: str = "standard",
    memory_budget: int | None = None,
    distributed: bool = False,
    progress: Progress | None = None,
) -> RetrievalResult:
    r"""Rank the gallery for every query and score the ranking, exactly and in little memory.

    For a query with ``R`` true matches at ranks :math:`r_1 < \dots < r_R`

    .. math:: AP = \frac1R \sum_k \frac{k}{r_k}, \qquad INP = \frac{R}{r_R}, \qquad
              CMC(r) = [r_1 \le r]

    averaged over the queries that have a match. Rules:

    * Gallery images of identity -1 (junk) are dropped; those of an identity that no query has
      (Market-1501's distractors, 0) stay and match nobody. With cameras, images of the query's
      identity and camera are removed from its ranking, and later ranks close up. A query without
      a match left is not valid: its ``ap`` is NaN and no mean counts it.
    * Scores are those of float64 arithmetic: float32 products decide where they can, the rest is
      scored again. A wrong image is ahead of a true match when its score is higher, equal or
      lower by no more than 2**-40 (Euclidean distance: when its squared distance is greater by no
      more than 2**-40 of the square of the sum of the match's two norms). So ties never help, and
      the order of the gallery, the tiles, the device, the number of ranks and the floating type
      change nothing.
    * TPR@FPR and ROC take the pairs of valid queries, without what the camera rule removes. Up to
      2**30 products of two numbers (Q * G * D) they come from float64 scores; beyond, from float32
      ones, and pairs within 2**-17 of a threshold may fall on its other side.
    * Ranks are found by counting the wrong images above each match; nothing is sorted, and no
      (Q, G) array exists.

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
        protocol: ``'standard'``, or ``'paddleclas'``: images of the query's identity and camera
            stay in the ranking with similarity 0, as wrong ones (cosine without re-ranking only;
            with it PaddleClas removes them too).
        memory_budget: Working memory in bytes over the inputs. Defaults to 64 MiB on a CPU, or a
            sixth of the features where that is more, and 1 GiB on other devices (re-ranking: 256
            MiB and 4 GiB).
        distributed: All ranks hold the same arguments and rank a share of the queries each; all
            return the same result.
        progress: Called with (stage, done, in all) after each piece of work, stages being
            ``'neighbours'`` (re-ranking only) and ``'ranking'``.

    Returns:
        The scores, as fractions.

    Raises:
        TypeError: For features that are not floating or labels that are not integers.
        ValueError: For NaN or infinite features, shapes that do not fit, unknown names.

    Warns:
        UserWarning: Of embeddings 100 times as long as the median under Euclidean distance.

    Protocol: Zheng et al., "Scalable person re-identification: a benchmark", ICCV 2015,
    https://doi.org/10.1109/ICCV.2015.133 (its MATLAB tool takes the trapezoid for AP; here, as in
    all later tools, plain precision). mINP: Ye et al., TPAMI 2021, https://arxiv.org/abs/2001.04193.
    """
    _check_choices(distance, protocol, max_rank, rerank)
    inputs = RetrievalInputs.check(
        query_feats, gallery_feats, query_pids, gallery_pids, query_camids, gallery_camids
    )
    device = inputs.gallery.device
    with full_precision(device):
        held = inputs.query.nbytes + inputs.gallery.nbytes
        budget = memory_budget if memory_budget is not None else default_budget(device, held)
        shape = tile_shape(budget, inputs.gallery.shape[1])
        if rerank is None or len(inputs.query) == 0 or len(inputs.gallery) == 0:
            similarity = FeatureSimilarity(
                inputs.query, inputs.gallery, distance, inputs.gallery_rows
            )
        else:
            similarity, shape = rerank_similarity(
                inputs.query,
                inputs.gallery,
                memory_budget,
                distributed=distributed,
                progress=progress,
                gallery_rows=inputs.gallery_rows,
                **{**RERANK_DEFAULTS, **rerank},
            )
        return rank_by(similarity, inputs, shape, max_rank, protocol, distributed, progress)


def rank_by(
    similarity: FeatureSimilarity | RerankedSimilarity,
    inputs: RetrievalInputs,
    shape: TileShape,
    max_rank: int = 50,
    protocol: str = "standard",
    distributed: bool = False,
    progress: Progress | None = None,
) -> RetrievalResult:
    """Rank by scores that are prepared; the rest as for :func:`evaluate_retrieval`.

    Args:
        similarity: Scores of the images of ``inputs``.
        inputs: Checked features and labels.
        shape: Size of the tiles of scores.
        max_rank: Length of the CMC.
        protocol: ``'standard'`` or ``'paddleclas'``.
        distributed: Whether ranks share the queries.
        progress: Called with (stage, done, in all).
    """
    histogram = ScoreHistogram(inputs.gallery.device, exact=similarity.is_little)
    fields = inputs.query.new_full((len(inputs.query), _FIELDS), torch.nan, dtype=torch.float64)
    share = (get_rank(), get_world_size()) if distributed else (0, 1)
    done = []
    chunks = list(_chunks(inputs, shape.rows))[share[0] :: share[1]]
    for chunk in chunks:
        fields[chunk] = _rank_chunk(inputs, similarity, chunk, shape, histogram, protocol)
        done.append(chunk)
        if progress is not None:
            progress("ranking", len(done), len(chunks))
    if distributed:
        fields = _join(fields, done, histogram)
    return _summarise(fields.cpu().numpy(), histogram, max_rank)


def _check_choices(distance: str, protocol: str, max_rank: int, rerank: dict | None) -> None:
    if distance not in DISTANCES:
        raise UserError(f"distance={distance!r} is unknown; use one of {DISTANCES}.")
    if protocol not in PROTOCOLS:
        raise UserError(f"protocol={protocol!r} is unknown; use one of {PROTOCOLS}.")
    if protocol == "paddleclas" and (distance != "cosine" or rerank is not None):
        raise UserError("protocol='paddleclas' needs distance='cosine' and rerank=None.")
    if max_rank < 1:
        raise UserError(f"max_rank={max_rank} must be at least 1.")
    check_rerank(rerank or {})


def _chunks(inputs: RetrievalInputs, rows: int) -> Iterator[Tensor]:
    """Queries with an image of their identity, those of one identity together."""
    known = torch.isin(inputs.query_pids, inputs.gallery_pids).nonzero().flatten()
    order = known[torch.argsort(inputs.query_pids[known], stable=True)]
    return iter(order.split(rows)) if len(order) else iter(())


def _same_identity(inputs: RetrievalInputs, chunk: Tensor) -> SameIdentity:
    pids, order = torch.sort(inputs.gallery_pids, stable=True)
    wanted = inputs.query_pids[chunk]
    first = torch.searchsorted(pids, wanted)
    times = torch.searchsorted(pids, wanted, right=True) - first
    rows = torch.repeat_interleave(torch.arange(len(chunk), device=chunk.device), times)
    offset = torch.arange(len(rows), device=rows.device) - (times.cumsum(0) - times)[rows]
    cols = order[first[rows] + offset]
    if inputs.query_camids is None:
        return SameIdentity(rows, cols, torch.ones_like(rows, dtype=torch.bool))
    other = other_camera(inputs.query_camids[chunk[rows]], inputs.gallery_camids[cols])
    return SameIdentity(rows, cols, other)


def _rank_chunk(inputs, similarity, chunk, shape, histogram, protocol) -> Tensor:
    """AP, INP and first rank of the queries of one chunk, shape (B, 3)."""
    same = _same_identity(inputs, chunk)
    valid = torch.bincount(same.rows[same.counts], minlength=len(chunk)) > 0
    if not valid.all():  # they have no figure, and no other figure may depend on their chunk
        fields = inputs.query.new_full((len(chunk), _FIELDS), torch.nan, dtype=torch.float64)
        if valid.any():
            left = chunk[valid]
            fields[valid] = _rank_chunk(inputs, similarity, left, shape, histogram, protocol)
        return fields
    counter = RankCounter(similarity.rows(chunk), same, shape, histogram)
    ahead = counter.count(len(similarity))
    rows = counter.match_rows
    if protocol == "paddleclas":
        removed = torch.bincount(same.rows[~same.counts], minlength=len(chunk))
        ahead = ahead + removed[rows] * (counter.thresholds <= 0)
    # matches are ascending in score: the last of a row is its first hit
    hits = counter.starts[rows + 1] - torch.arange(len(rows), device=rows.device)
    ranks = (hits + ahead).double()
    fields = ranks.new_full((len(chunk), _FIELDS), torch.nan)
    number = counter.starts.diff()
    has = number > 0
    lowest, best = counter.starts[:-1][has], counter.starts[1:][has] - 1
    precision = torch.zeros(len(chunk), dtype=torch.float64, device=rows.device)
    precision.index_add_(0, rows, hits / ranks)
    fields[has, 0] = precision[has] / number[has]
    fields[has, 1] = number[has] / ranks[lowest]
    fields[has, 2] = ranks[best]
    return fields


def _join(fields: Tensor, done: list[Tensor], histogram: ScoreHistogram) -> Tensor:
    """Put the shares of all ranks together."""
    mine = torch.cat(done) if done else torch.zeros(0, dtype=torch.int64, device=fields.device)
    where, values = gather_rows(mine), gather_rows(fields[mine])
    fields[where] = values
    for name in ("true", "wrong"):
        setattr(histogram, name, gather_rows(getattr(histogram, name)[None]).sum(0))
    return fields


def _summarise(fields: np.ndarray, histogram: ScoreHistogram, max_rank: int) -> RetrievalResult:
    ap, inp, first = fields.T.copy()
    valid = ~np.isnan(ap)
    cmc = np.full(max_rank, np.nan)
    if valid.any():
        cmc = np.searchsorted(np.sort(first[valid]), np.arange(1, max_rank + 1), side="right")
        cmc = cmc / valid.sum()
    fprs = np.concatenate([[0.0], np.logspace(-6, 0, 301)])
    return RetrievalResult(
        cmc=cmc,
        mAP=float(ap[valid].mean()) if valid.any() else float("nan"),
        mINP=float(inp[valid].mean()) if valid.any() else float("nan"),
        ap=ap,
        inp=inp,
        first_hit=np.where(valid, first, 0).astype(np.int64),
        num_valid_queries=int(valid.sum()),
        tpr_at_fpr=dict(zip(FPRS, histogram.tpr(np.array(FPRS)).tolist(), strict=True)),
        roc=np.stack([fprs, histogram.tpr(fprs)]),
    )
