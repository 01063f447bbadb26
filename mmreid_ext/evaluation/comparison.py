"""Is one model better than another? Differences with an interval, over queries and over seeds."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from mmreid_ext.errors import UserError

from .rerank_options import EXPANSION_DEFAULTS

MEASURES = {"mAP": "ap", "R1": "top1"}


@dataclass(frozen=True)
class Difference:
    """Side B minus side A in one measure, in points of percent.

    Args:
        measure: ``'mAP'`` or ``'R1'``.
        a: Mean over the runs of side A, percent.
        b: The same for side B.
        spread_a: Sample standard deviation over the runs of side A; NaN for a single run.
        spread_b: The same for side B.
        low: Lower end of the 95 % interval of ``b - a`` under resampling of the queries.
        high: Upper end.
        seed_error: Standard error of ``b - a`` over runs, ``sqrt(var_a / n_a + var_b / n_b)``; NaN
            where a side has a single run.
        num_queries: Queries that both sides answered.
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

    @property
    def difference(self) -> float:
        """``b - a``."""
        return self.b - self.a

    @property
    def verdict(self) -> str:
        """What the figures allow to say, in words."""
        better = "B" if self.difference > 0 else "A"
        if self.low <= 0 <= self.high:
            return "no difference beyond the choice of queries"
        if np.isnan(self.seed_error):
            return f"{better} better on these queries; training seeds not measured"
        if abs(self.difference) <= 2 * self.seed_error:
            return f"{better} ahead, but within two standard errors over seeds"
        return f"{better} better beyond queries and seeds"


def paired_bootstrap(
    a: np.ndarray,
    b: np.ndarray,
    *,
    num_resamples: int = 10_000,
    confidence: float = 0.95,
    seed: int = 0,
) -> tuple[float, float]:
    """Percentile interval of ``mean(b - a)`` when queries are drawn anew with replacement.

    Each resample takes the same queries on both sides, so what makes a query hard for both cancels
    out.

    Efron and Tibshirani, "An Introduction to the Bootstrap", 1993, chapter 13.

    Args:
        a: Scores of one side by query, shape (Q,).
        b: Scores of the other side for the same queries, shape (Q,).
        num_resamples: Number of resamples.
        confidence: Share of them inside the interval, in (0, 1).
        seed: The same seed gives the same interval.

    Returns:
        Lower and upper end.

    Raises:
        ValueError: If the shapes differ or there is no query.
    """
    a, b = np.asarray(a, dtype=np.float64), np.asarray(b, dtype=np.float64)
    if a.shape != b.shape or a.ndim != 1 or not len(a):
        raise UserError(
            f"Need equally long, non-empty lists of scores, got {a.shape} and {b.shape}."
        )
    generator = np.random.default_rng(seed)
    difference = b - a
    means = np.empty(num_resamples)
    for start in range(0, num_resamples, block := max(1, 10**7 // len(a))):
        size = (min(block, num_resamples - start), len(a))
        means[start : start + size[0]] = difference[generator.integers(len(a), size=size)].mean(
            axis=1
        )
    tail = (1 - confidence) / 2
    low, high = np.quantile(means, [tail, 1 - tail])
    return float(low), float(high)


def compare(
    a: Sequence[Mapping[str, Any]],
    b: Sequence[Mapping[str, Any]],
    *,
    num_resamples: int = 10_000,
    seed: int = 0,
) -> dict[str, dict[str, list[Difference]]]:
    """Compare two sides, each one results document or several (one per training seed).

    Queries are matched by image name, identity and camera, whatever their order. A side's score for
    a query is the mean over its runs. Figures are over the queries that every run could answer.

    Args:
        a: Documents of :func:`read_results`.
        b: Documents of the other side.
        num_resamples: See :func:`paired_bootstrap`.
        seed: See :func:`paired_bootstrap`.

    Returns:
        ``{test set: {'plain' or 'rerank': [Difference of mAP, of R1]}}`` for what all runs
        evaluated.

    Raises:
        ValueError: If a side is empty, no test set is in all of them, or a set's queries or
            protocol differ.
    """
    if not a or not b:
        raise UserError("Each side needs at least one results file.")
    runs = [*a, *b]
    shared = [n for n in runs[0]["test_sets"] if all(n in run["test_sets"] for run in runs)]
    if not shared:
        found = sorted({name for run in runs for name in run["test_sets"]})
        raise UserError(f"No test set was evaluated in all files; found {found}.")
    report: dict[str, dict[str, list[Difference]]] = {}
    for name in shared:
        sets = [run["test_sets"][name] for run in runs]
        order = _matched_queries(name, sets)
        report[name] = {}
        for variant in ("plain", "rerank"):
            if all(s[variant] is not None for s in sets):
                report[name][variant] = [
                    _difference(measure, sets, variant, order, len(a), num_resamples, seed)
                    for measure in MEASURES
                ]
    return report


def setting_notes(a: Sequence[Mapping[str, Any]], b: Sequence[Mapping[str, Any]]) -> list[str]:
    """What was evaluated differently on the two sides or within one, in words.

    A difference may be what is being compared; unnoticed, it would be mistaken for the models'.

    Args:
        a: Documents of :func:`read_results`.
        b: Documents of the other side.
    """
    runs = [*a, *b]
    notes = []
    recorded = [run.get("settings", {}) for run in runs]  # saved features don't tell of flips
    for key in ("distance", "flip"):
        notes += _unequal(key, [settings[key] for settings in recorded if key in settings])
    expansions = [s["query_expansion"] for s in recorded if "query_expansion" in s]
    notes += _unequal("query_expansion", [e and {**EXPANSION_DEFAULTS, **e} for e in expansions])
    for name in runs[0]["test_sets"]:
        sets = [run["test_sets"].get(name) for run in runs]
        if all(s is not None and s["rerank"] is not None for s in sets):
            settings = [{"approximate": False, **s["rerank"]["settings"]} for s in sets]
            notes += _unequal(f"re-ranking of {name}", settings)
    return notes


def _unequal(what: str, values: Sequence[Any]) -> list[str]:
    distinct = [value for i, value in enumerate(values) if value not in values[:i]]
    return [f"{what} differs: {', '.join(map(str, distinct))}"] if len(distinct) > 1 else []


def _matched_queries(name: str, sets: Sequence[Mapping[str, Any]]) -> list[np.ndarray]:
    """Per run, the places of its queries in one common order."""
    if any(s["protocol"] != sets[0]["protocol"] for s in sets):
        raise UserError(
            f"Test set {name!r} was evaluated under different protocols: "
            f"{[s['protocol'] for s in sets]}. Only the same protocol compares."
        )
    keys = [[*zip(*(s["queries"][k] for k in ("name", "pid", "camid")), strict=True)] for s in sets]
    if any(sorted(k) != sorted(keys[0]) for k in keys):
        raise UserError(
            f"The files don't have the same queries of test set {name!r} "
            f"({[len(k) for k in keys]} queries): they were made on different data."
        )
    if len(set(keys[0])) < len(keys[0]):  # unnamed images: only the order itself can match them
        if any(k != keys[0] for k in keys):
            raise UserError(
                f"Queries of test set {name!r} have no distinct names to match them by."
            )
        return [np.arange(len(k)) for k in keys]
    return [np.array(sorted(range(len(k)), key=k.__getitem__), dtype=np.int64) for k in keys]


def _difference(
    measure: str,
    sets: Sequence[Mapping[str, Any]],
    variant: str,
    order: Sequence[np.ndarray],
    num_a: int,
    num_resamples: int,
    seed: int,
) -> Difference:
    scores = np.stack(
        [
            np.array(s[variant][MEASURES[measure]], dtype=np.float64)[places]  # null becomes NaN
            for s, places in zip(sets, order, strict=True)
        ]
    )
    scores = 100 * scores[:, np.isfinite(scores).all(axis=0)]
    side_a, side_b = scores[:num_a], scores[num_a:]
    low, high = paired_bootstrap(
        side_a.mean(axis=0), side_b.mean(axis=0), num_resamples=num_resamples, seed=seed
    )
    means_a, means_b = side_a.mean(axis=1), side_b.mean(axis=1)
    spread_a, spread_b = _spread(means_a), _spread(means_b)
    return Difference(
        measure=measure,
        a=float(means_a.mean()),
        b=float(means_b.mean()),
        spread_a=spread_a,
        spread_b=spread_b,
        low=low,
        high=high,
        seed_error=float(np.sqrt(spread_a**2 / len(means_a) + spread_b**2 / len(means_b))),
        num_queries=scores.shape[1],
    )


def _spread(values: np.ndarray) -> float:
    return float(values.std(ddof=1)) if len(values) > 1 else float("nan")


def format_comparison(report: Mapping[str, Mapping[str, Sequence[Difference]]]) -> str:
    """One table of all differences, in percent.

    Args:
        report: From :func:`compare`.
    """
    header = ["test set", "measure", "A", "B", "B - A", "95 % interval", "queries", "verdict"]
    rows = [header]
    for name, variants in report.items():
        for variant, differences in variants.items():
            for d in differences:
                rows.append(
                    [
                        name + (" (re-ranked)" if variant == "rerank" else ""),
                        d.measure,
                        _with_spread(d.a, d.spread_a),
                        _with_spread(d.b, d.spread_b),
                        _with_spread(d.difference, d.seed_error, signed=True),
                        f"[{d.low:+.2f}, {d.high:+.2f}]",
                        str(d.num_queries),
                        d.verdict,
                    ]
                )
    widths = [max(len(row[i]) for row in rows) for i in range(len(header))]
    lines = [
        "  ".join(c.ljust(w) for c, w in zip(row, widths, strict=True)).rstrip() for row in rows
    ]
    lines.insert(1, "  ".join("-" * width for width in widths))
    return "\n".join(lines)


def _with_spread(value: float, spread: float, signed: bool = False) -> str:
    text = f"{value:+.2f}" if signed else f"{value:.2f}"
    return text if np.isnan(spread) else f"{text} ± {spread:.2f}"
