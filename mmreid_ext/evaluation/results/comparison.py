"""Compare models by their results documents: test sets and queries matched, differences listed."""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from mmreid_ext.errors import UserError
from mmreid_ext.json_values import plain_json
from mmreid_ext.shorten import one_line

from .compared_runs import missing_notes, refuse_repeats, setting_notes
from .difference import Difference, compare_scores
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
    order. A side's score for a query is the mean over its runs. Only queries that every run could
    answer count; over random splits each counts as in the table of the test. See
    :func:`identity_error` and :func:`seed_error` for the intervals.

    Args:
        a: Documents of :func:`read_results`.
        b: Documents of the other side.
        num_resamples: Without effect, the interval is computed, not sampled; kept for old calls.
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
        text = (
            "compare: num_resamples and seed have no effect; the interval is computed, not sampled"
        )
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


def format_comparison(report: Mapping[str, Mapping[str, Sequence[Difference]]]) -> str:
    """Return one table of all differences, in percent.

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
