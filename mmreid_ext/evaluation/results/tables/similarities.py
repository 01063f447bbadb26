"""Show similarities as tables: of one person or two, and of known people among strangers."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from mmreid_ext.evaluation.results.table import text_table

if TYPE_CHECKING:
    from mmreid_ext.evaluation.set_result import SetResult


def format_thresholds(results: Mapping[str, SetResult]) -> str:
    """Return a table of the similarities from which on two images count as one person.

    Empty where nothing is known. A cell holds the similarity, and the share of pairs of one person
    that reach it.

    Args:
        results: By name of the test set.
    """
    points = {name: r.operating_points() for name, r in results.items()}
    points = {name: known for name, known in points.items() if known and known[0]["negatives"]}
    if not points:
        return ""
    rates = [point["fpr"] for point in next(iter(points.values()))]
    rows = [["test set", "pairs of two people", *(f"FPR {100 * rate:g} %" for rate in rates)]]
    for name, known in points.items():
        rows.append([name, f"{known[0]['negatives']:,}", *map(_threshold_cell, known)])
    return (
        "One person or two: accepted similarity, and pairs of one person that reach it\n"
        f"{text_table(rows, left=1)}"
    )


def _threshold_cell(point: Mapping[str, Any]) -> str:
    if point["similarity"] is None:
        return "too few pairs" if point["negatives"] * point["fpr"] < 1 else "none"
    return f"{point['similarity']:.3f} ({100 * point['tpr']:.1f} %)"


def format_open_set(results: Mapping[str, SetResult]) -> str:
    """Return a table of open-set identification; empty where it was not asked for.

    A cell holds the detection and identification rate, and the accepted similarity.

    Args:
        results: By name of the test set.
    """
    found = {name: r.open_set for name, r in results.items() if r.open_set is not None}
    if not found:
        return ""
    rates = list(next(iter(found.values())).dir_at_fpr)
    head = ["test set", "queries of known", "of unknown people"]
    rows = [[*head, *(f"FPR {100 * rate:g} %" for rate in rates)]]
    for name, one in found.items():
        counts = [f"{one.num_known:,}", f"{one.num_unknown:,}"]
        cells = [_open_set_cell(one.dir_at_fpr[r], one.threshold_at_fpr[r]) for r in rates]
        rows.append([name, *counts, *cells])
    return (
        "Known or a stranger: queries of known people that are found at rank 1, and accepted "
        f"similarity\n{text_table(rows, left=1)}"
    )


def _open_set_cell(rate: float, similarity: float) -> str:
    return "too few" if math.isnan(rate) else f"{100 * rate:.1f} % ({similarity:.3f})"
