"""Scores of one ranking, as an evaluation returns them."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from mmreid_ext.errors import UserError


@dataclass(frozen=True)
class RetrievalResult:
    """Scores of one ranking; every score is a fraction in [0, 1] over the valid queries.

    A query is valid when its gallery holds at least one true match that counts. Without any valid
    query the scores are NaN.

    Attributes:
        cmc: (max_rank,), at ``cmc[r - 1]`` the share of queries with a match in the first ``r``.
        mAP: Mean average precision.
        mINP: Mean inverse negative penalty, matches divided by the rank of the last one.
        ap: (Q,), average precision per query in the order given, NaN where it is not valid.
        inp: (Q,), inverse negative penalty per query, NaN where it is not valid.
        first_hit: (Q,), rank (from 1) of the first true match, 0 where the query is not valid.
        num_valid_queries: Number of valid queries.
        tpr_at_fpr: True positive rate by false positive rate, over all pairs.
        roc: (2, n), false and true positive rates of the whole curve, ascending.
    """

    cmc: np.ndarray
    mAP: float  # noqa: N815 - the field writes it so
    mINP: float  # noqa: N815
    ap: np.ndarray
    inp: np.ndarray
    first_hit: np.ndarray
    num_valid_queries: int
    tpr_at_fpr: dict[float, float] = field(default_factory=dict)
    roc: np.ndarray = field(default_factory=lambda: np.zeros((2, 0)))

    def rank(self, r: int) -> float:
        """CMC at rank ``r``, from 1 to ``len(cmc)``.

        Raises:
            ValueError: For another rank.
        """
        if not 1 <= r <= len(self.cmc) or r != int(r):
            raise UserError(
                f"RetrievalResult.rank: r={r}, a whole number from 1 to max_rank={len(self.cmc)}; "
                "evaluate with a greater max_rank for higher ranks."
            )
        return float(self.cmc[int(r) - 1])
