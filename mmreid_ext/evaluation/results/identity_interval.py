"""Compute standard errors of a mean difference: over other identities, and over training seeds."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from mmreid_ext.errors import UserError

PSEUDO_QUERIES = 0.5
"""Weight, in queries, of each of the two invented identities of :func:`identity_error`.

Half an observation per cell is what Agresti and Min add to a table of pairs. It leaves an interval
where rank-1 hits happen to agree, and hardly moves one over hundreds of queries.
"""


@dataclass(frozen=True)
class StandardError:
    """Standard error of a mean, and how well it is known.

    Args:
        value: The standard error; NaN where it can't be known.
        freedom: Degrees of freedom of the t distribution that belongs to it.
    """

    value: float
    freedom: float

    def margin(self, confidence: float = 0.95) -> float:
        """Return half the width of the interval that holds the true mean with this probability."""
        if self.value == 0 or np.isnan(self.value):
            return self.value
        from scipy.special import stdtrit  # the quantile of Student's t; scipy is slow to import

        return float(stdtrit(self.freedom, (1 + confidence) / 2) * self.value)

    def __add__(self, other: StandardError) -> StandardError:
        """Of the sum of two independent errors; the freedom is Satterthwaite's (1946)."""
        a, b = self.value**2, other.value**2
        if a + b == 0 or np.isnan(a + b):
            return StandardError(float(np.sqrt(a + b)), min(self.freedom, other.freedom))
        freedom = (a + b) ** 2 / (a**2 / self.freedom + b**2 / other.freedom)
        return StandardError(float(np.sqrt(a + b)), float(freedom))


def weighted_mean(scores: np.ndarray, weights: np.ndarray | None = None) -> float:
    """Average ``scores`` (Q,), each query counted by its weight (Q,), if there are weights."""
    return float(np.average(scores, weights=weights))


def identity_error(
    differences: np.ndarray,
    identities: np.ndarray,
    weights: np.ndarray | None = None,
    *,
    largest: float | None = None,
) -> StandardError:
    """Estimate the error of a mean over queries when other *people* could have been chosen.

    The queries of one person are alike, so they do not count as independent. Every person is left
    out once; the spread of the means that remain gives the error. Its degrees of freedom are the
    number of equally large identities that would weigh as much, less one.

    Two invented people of half a query each, one with the difference ``largest`` and one with
    ``-largest``, can widen the error. Without them ten queries that happen to agree would say that
    the two sides are certainly equal.

    Efron, "The Jackknife, the Bootstrap and Other Resampling Plans", 1982; Kish, "Survey Sampling",
    1965 (effective number); Agresti and Min, "Effects and non-effects of paired identical
    observations", Statistics in Medicine 2005 (invented pairs).

    Args:
        differences: Side B minus side A by query, shape (Q,).
        identities: Whom each query shows, shape (Q,).
        weights: How much each query counts, shape (Q,), not negative. Defaults to equally.
        largest: For scores that are mostly equal, such as rank-1 hits: the largest possible
            difference. Defaults to None, nobody is invented.

    Returns:
        NaN for fewer than two identities (0 where all differences are 0 and nobody is invented).

    Raises:
        UserError: If the shapes differ or there is no query.
    """
    differences = np.asarray(differences, dtype=np.float64)
    weights = np.ones(len(differences)) if weights is None else np.asarray(weights, np.float64)
    if not len(differences) == len(identities) == len(weights) or not weights.sum() > 0:
        raise UserError(
            f"identity_error: {len(differences)} differences, {len(identities)} identities and "
            f"{len(weights)} weights; give one of each for every query, at least one of them with "
            "a positive weight."
        )
    _, person = np.unique(identities, return_inverse=True)
    totals = np.bincount(person, weights * differences)
    sizes = np.bincount(person, weights)
    totals, sizes = totals[sizes > 0], sizes[sizes > 0]
    if len(sizes) < 2:
        return StandardError(0.0 if largest is None and not totals.any() else np.nan, 1.0)
    if largest is not None:
        size = PSEUDO_QUERIES * weights.sum() / np.count_nonzero(weights)
        totals = np.append(totals, [size * largest, -size * largest])
        sizes = np.append(sizes, [size, size])
    shares = sizes / sizes.sum()
    mean = totals.sum() / sizes.sum()
    without = (mean - totals / sizes.sum()) / (1 - shares)  # the mean with each person left out
    # The jackknife's factor: means that share n - 1 of n people differ less than those of samples.
    variance = (len(sizes) - 1) / len(sizes) * np.sum((without - mean) ** 2)
    effective = 1 / np.sum(shares**2)
    # One degree of freedom is the fewest that Student's t is used with.
    return StandardError(float(np.sqrt(variance)), max(1.0, float(effective) - 1))


def seed_error(a: np.ndarray, b: np.ndarray) -> StandardError:
    """Return the standard error of ``mean(b) - mean(a)`` over training seeds, for Student's t.

    The larger of Welch's and of the pooled error: Welch's alone is too small where two runs stand
    against many, the pooled one where the two sides vary differently.

    Welch, "The generalization of 'Student's' problem", Biometrika 1947.

    Args:
        a: Metric of each run of side A, shape (n,).
        b: The same of side B.

    Returns:
        NaN where a side has a single run.
    """
    if min(len(a), len(b)) < 2:
        return StandardError(np.nan, 1.0)
    variances = np.array([np.var(a, ddof=1), np.var(b, ddof=1)])
    runs = np.array([len(a), len(b)])
    parts = variances / runs
    if not parts.sum() > 0:
        return StandardError(0.0, float(min(runs) - 1))
    freedom = parts.sum() ** 2 / np.sum(parts**2 / (runs - 1))
    pooled = np.average(variances, weights=runs - 1) * np.sum(1 / runs)
    return StandardError(float(np.sqrt(max(parts.sum(), pooled))), float(freedom))
