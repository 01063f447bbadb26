"""Is one model better than another? Differences with an interval, over identities and seeds."""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from mmreid_ext.errors import UserError
from mmreid_ext.json_values import plain_json
from mmreid_ext.shorten import one_line

from .compared_runs import missing_notes, refuse_repeats, setting_notes
from .identity_interval import StandardError, identity_error, seed_error, weighted_mean
from .matched_queries import matched_queries, query_weights
from .results_file import check_results
from .table import text_table

__all__ = [
    "Difference",
    "compare",
    "compare_scores",
    "format_comparison",
    "missing_notes",
    "setting_notes",
]

MEASURES = {"mAP": "ap", "R1": "top1"}
LARGEST = {"mAP": None, "R1": 100.0}
"""Largest difference of one query for scores that mostly are equal, see identity_error."""


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
            the test set, for the runs as they are; NaN for queries of one identity.
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
        """What the figures allow to say, in words."""
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


def compare(
    a: Sequence[Mapping[str, Any]],
    b: Sequence[Mapping[str, Any]],
    *,
    num_resamples: int | None = None,
    seed: int | None = None,
    labels: tuple[Sequence[str], Sequence[str]] | None = None,
) -> dict[str, dict[str, list[Difference]]]:
    """Compare two sides, each one results document or several (one per training seed).

    Queries are matched by image name from their common folder, identity and camera, whatever their
    order. A side's score for a query is the mean over its runs. Figures are over the queries that
    every run could answer; over random splits each query counts as in the table of the test. See
    :func:`identity_error` and :func:`seed_error` for the intervals.

    Args:
        a: Documents of :func:`read_results`.
        b: Documents of the other side.
        num_resamples: Without effect, the interval is computed and not drawn; kept for old calls.
        seed: Without effect likewise.
        labels: Names of the runs of both sides for messages, such as their files.

    Returns:
        ``{test set: {'plain' or 'rerank': [Difference of mAP, of R1]}}`` for what all runs
        evaluated.

    Raises:
        UserError: If a side is empty or counts a run twice, an entry is missing or of another type,
            no test set is in all of them, or a set's queries, gallery or protocol differ.
    """
    if not a or not b:
        raise UserError("Each side needs at least one results file.")
    if num_resamples is not None or seed is not None:
        text = "compare: num_resamples and seed have no effect; the interval is computed, not drawn"
        warnings.warn(text, UserWarning, stacklevel=2)
    sides = [[plain_json(run) for run in side] for side in (a, b)]
    named = labels or [[f"run {i + 1}" for i in range(len(side))] for side in sides]
    for side, members, names in zip(("Side A", "Side B"), sides, named, strict=True):
        for run, label in zip(members, names, strict=True):
            check_results(run, label if labels else f"{label} of {side.lower()}", bounded=False)
        refuse_repeats(side, members, names)
    runs = [*sides[0], *sides[1]]
    report: dict[str, dict[str, list[Difference]]] = {}
    for name in _shared_sets(runs):
        sets = [run["test_sets"][name] for run in runs]
        order = matched_queries(name, sets)
        report[name] = {}
        for variant in ("plain", "rerank"):
            if all(s.get(variant) is not None for s in sets):
                report[name][variant] = [
                    _difference(measure, name, sets, variant, order, len(a)) for measure in MEASURES
                ]
    return report


def _shared_sets(runs: Sequence[Mapping[str, Any]]) -> list[str]:
    shared = [n for n in runs[0]["test_sets"] if all(n in run["test_sets"] for run in runs)]
    if not shared:
        found = sorted({name for run in runs for name in run["test_sets"]})
        raise UserError(f"No test set was evaluated in all files; found {found}.")
    return shared


def _difference(
    measure: str,
    name: str,
    sets: Sequence[Mapping[str, Any]],
    variant: str,
    order: Sequence[np.ndarray],
    num_a: int,
) -> Difference:
    scores = np.stack(
        [
            np.array(s[variant][MEASURES[measure]], dtype=np.float64)[places]  # null becomes NaN
            for s, places in zip(sets, order, strict=True)
        ]
    )
    answered = np.isfinite(scores).all(axis=0)
    if not answered.any():
        raise UserError(f"No query of test set {one_line(name)!r} was answered in all files.")
    identities = np.array(sets[0]["queries"]["pid"])[order[0]]
    weights = query_weights(name, sets, order)
    return compare_scores(
        measure,
        100 * scores[:num_a, answered],
        100 * scores[num_a:, answered],
        identities[answered],
        None if weights is None else weights[answered],
    )


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
    people = identity_error(gain, identities, weights, largest=LARGEST[measure])
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


def format_comparison(report: Mapping[str, Mapping[str, Sequence[Difference]]]) -> str:
    """One table of all differences, in percent.

    Args:
        report: From :func:`compare`.
    """
    found = [d for variants in report.values() for several in variants.values() for d in several]
    seeds = any(not np.isnan(d.low_seeds) for d in found)
    header = ["test set", "measure", "A", "B", "B - A", "95 % interval"]
    header += ["with seeds"] * seeds + ["queries", "identities", "verdict"]
    rows = [header]
    for name, variants in report.items():
        for variant, differences in variants.items():
            for d in differences:
                rows.append(
                    [
                        one_line(name) + (" (re-ranked)" if variant == "rerank" else ""),
                        d.measure,
                        _with_spread(d.a, d.spread_a),
                        _with_spread(d.b, d.spread_b),
                        _with_spread(d.difference, d.seed_error, signed=True),
                        _interval(d.low, d.high),
                        *[_interval(d.low_seeds, d.high_seeds)] * seeds,
                        str(d.num_queries),
                        str(d.num_identities),
                        d.verdict,
                    ]
                )
    return text_table(rows)


def _interval(low: float, high: float) -> str:
    return "" if np.isnan(low) else f"[{low:+.2f}, {high:+.2f}]"


def _with_spread(value: float, spread: float, signed: bool = False) -> str:
    text = f"{value:+.2f}" if signed else f"{value:.2f}"
    return text if np.isnan(spread) else f"{text} ± {spread:.2f}"
