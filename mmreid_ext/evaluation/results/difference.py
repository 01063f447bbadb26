"""Measure a difference between two sides, with intervals over identities and training seeds."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import Any

import numpy as np

from .identity_interval import StandardError, identity_error, seed_error, weighted_mean

_LARGEST = {"mAP": None, "R1": 100.0}
"""Largest difference of one query, for scores that are mostly equal: a query's R1 is 0 or 100."""


@dataclass(frozen=True)
class Difference:
    """Side B minus side A in one measure, in points of percent.

    Args:
        measure: ``'mAP'`` or ``'R1'``.
        a: Mean over the runs of side A, percent.
        b: The same for side B.
        spread_a: Sample standard deviation over the runs of side A; NaN for a single run.
        spread_b: The same for side B.
        low: Lower end of the 95 % interval of ``b - a`` over identities that could have been in
            the test set, for these very runs; NaN for queries of one identity.
        high: Upper end.
        seed_error: Standard error of ``b - a`` over runs, ``sqrt(var_a / n_a + var_b / n_b)``; NaN
            where a side has a single run.
        num_queries: Queries that both sides answered.
        num_identities: Identities that they show.
        low_seeds: Lower end of the 95 % interval of ``b - a`` over identities and training seeds;
            NaN where a side has a single run.
        high_seeds: Upper end.
    """

    measure: str
    a: float
    b: float
    spread_a: float
    spread_b: float
    low: float
    high: float
    seed_error: float
    num_queries: int
    num_identities: int = 0
    low_seeds: float = float("nan")
    high_seeds: float = float("nan")

    @property
    def difference(self) -> float:
        """``b - a``."""
        return self.b - self.a

    @property
    def verdict(self) -> str:
        """Say in words what the numbers allow to conclude."""
        better = "B" if self.difference > 0 else "A"
        if np.isnan(self.low):
            return "queries of one identity: nothing follows for others"
        if self.low <= 0 <= self.high:
            return "no difference beyond the choice of queries"
        if np.isnan(self.seed_error):
            return f"{better} better on these queries; training seeds not measured"
        if self.low_seeds <= 0 <= self.high_seeds:
            return f"{better} ahead, but within the spread over seeds"
        return f"{better} better beyond queries and seeds"


def compare_scores(
    measure: str,
    a: np.ndarray,
    b: np.ndarray,
    identities: np.ndarray,
    weights: np.ndarray | None = None,
) -> Difference:
    """Compare the scores of two sides on the same queries.

    Args:
        measure: ``'mAP'`` or ``'R1'``.
        a: Scores of side A in percent by run and query, shape (n_a, Q).
        b: The same of side B, shape (n_b, Q).
        identities: Whom each query shows, shape (Q,).
        weights: How much each query counts, shape (Q,). Defaults to equally.
    """
    means_a, means_b = (np.array([weighted_mean(run, weights) for run in side]) for side in (a, b))
    gain = b.mean(axis=0) - a.mean(axis=0)
    people = identity_error(gain, identities, weights, largest=_LARGEST[measure])
    difference = float(means_b.mean() - means_a.mean())
    spread_a, spread_b = _spread(means_a), _spread(means_b)
    low, high = _around(difference, people.margin())
    low_seeds, high_seeds = _around(difference, _margin(people, seed_error(means_a, means_b)))
    return Difference(
        measure=measure,
        a=float(means_a.mean()),
        b=float(means_b.mean()),
        spread_a=spread_a,
        spread_b=spread_b,
        low=low,
        high=high,
        seed_error=float(np.sqrt(spread_a**2 / len(means_a) + spread_b**2 / len(means_b))),
        num_queries=a.shape[1],
        num_identities=len(np.unique(identities)),
        low_seeds=low_seeds,
        high_seeds=high_seeds,
    )


def _margin(people: StandardError, seeds: StandardError) -> float:
    """Of the interval over identities and seeds: no narrower than that over either alone."""
    margins = [people.margin(), seeds.margin(), (people + seeds).margin()]
    return float(np.max(margins))  # NaN if one of them is


def _around(difference: float, margin: float) -> tuple[float, float]:
    """Interval within what a difference of percentages can be."""
    low, high = np.clip([difference - margin, difference + margin], -100, 100)  # NaN stays NaN
    return float(low), float(high)


def _spread(values: np.ndarray) -> float:
    return float(values.std(ddof=1)) if len(values) > 1 else float("nan")


def as_data(difference: Difference) -> dict[str, Any]:
    """Return the numbers and the verdict as a results file holds them."""
    return dataclasses.asdict(difference) | {"verdict": difference.verdict}
