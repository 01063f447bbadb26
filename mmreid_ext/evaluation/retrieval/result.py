"""Hold the scores of one ranking, as an evaluation returns them."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from mmreid_ext.errors import UserError

from .operating_points import ScoreHistogram

FPRS = (1e-4, 1e-3, 1e-2, 1e-1)
"""False positive rates of the operating points."""

_CURVE = np.concatenate([[0.0], np.logspace(-6, 0, 301)])
"""False positive rates of the curve: 50 a decade, down to one pair in a million."""


@dataclass(frozen=True)
class RetrievalResult:
    """Scores of one ranking; every score is a fraction in [0, 1] over the valid queries.

    A query is valid when its gallery holds at least one match that counts. Without any valid
    query the scores are NaN.

    Attributes:
        cmc: (max_rank,), at ``cmc[r - 1]`` the share of queries with a match in the first ``r``.
        mAP: Mean average precision.
        mINP: Mean inverse negative penalty, matches divided by the rank of the last one.
        ap: (Q,), average precision per query in the order given, NaN where it is not valid.
        inp: (Q,), inverse negative penalty per query, NaN where it is not valid.
        first_hit: (Q,), rank (from 1) of the first match, 0 where the query is not valid.
        num_valid_queries: Number of valid queries.
        tpr_at_fpr: True positive rate by false positive rate, over all pairs.
        roc: (2, n), false and true positive rates of the whole curve, ascending.
        threshold_at_fpr: Lowest accepted cosine similarity by false positive rate; NaN where fewer
            than ``1 / fpr`` negative pairs were there. Empty for other scores. See
            :meth:`~.operating_points.ScoreHistogram.thresholds`.
        num_negatives: Number of negative pairs.
    """

    cmc: np.ndarray
    mAP: float
    mINP: float
    ap: np.ndarray
    inp: np.ndarray
    first_hit: np.ndarray
    num_valid_queries: int
    tpr_at_fpr: dict[float, float] = field(default_factory=dict)
    roc: np.ndarray = field(default_factory=lambda: np.zeros((2, 0)))
    threshold_at_fpr: dict[float, float] = field(default_factory=dict)
    num_negatives: int = 0

    @classmethod
    def of_queries(
        cls,
        ap: np.ndarray,
        inp: np.ndarray,
        first_hit: np.ndarray,
        histogram: ScoreHistogram,
        max_rank: int,
        cosine: bool = True,
    ) -> RetrievalResult:
        """Average over the valid queries.

        Args:
            ap: (Q,), NaN for queries that are not valid.
            inp: (Q,), likewise.
            first_hit: (Q,), likewise, rank of the first match.
            histogram: Scores of the pairs of the valid queries.
            max_rank: Length of the CMC.
            cosine: Whether scores are cosine similarities; others make no thresholds.
        """
        valid = ~np.isnan(ap)
        cmc = np.full(max_rank, np.nan)
        if valid.any():
            ranks = np.arange(1, max_rank + 1)
            cmc = np.searchsorted(np.sort(first_hit[valid]), ranks, side="right") / valid.sum()
        tprs = histogram.tpr(np.array(FPRS)).tolist()
        thresholds = histogram.thresholds(np.array(FPRS)).tolist() if cosine else []
        return cls(
            cmc=cmc,
            mAP=float(ap[valid].mean()) if valid.any() else float("nan"),
            mINP=float(inp[valid].mean()) if valid.any() else float("nan"),
            ap=ap,
            inp=inp,
            first_hit=np.where(valid, first_hit, 0).astype(np.int64),
            num_valid_queries=int(valid.sum()),
            tpr_at_fpr=dict(zip(FPRS, tprs, strict=True)),
            roc=np.stack([_CURVE, histogram.tpr(_CURVE)]),
            threshold_at_fpr=dict(zip(FPRS, thresholds, strict=cosine)),
            num_negatives=histogram.num_negatives,
        )

    def rank(self, r: int) -> float:
        """Return CMC at rank ``r``, from 1 to ``len(cmc)``.

        Raises:
            ValueError: For another rank.
        """
        if not 1 <= r <= len(self.cmc) or r != int(r):
            raise UserError(
                f"RetrievalResult.rank: r={r}, a whole number from 1 to max_rank={len(self.cmc)}; "
                "evaluate with a greater max_rank for higher ranks."
            )
        return float(self.cmc[int(r) - 1])
