"""Plot CMC and ROC curves of several models or rankings."""

from __future__ import annotations

import os
from collections.abc import Mapping

import numpy as np
from matplotlib.figure import Figure

from mmreid_ext.errors import UserError

from .arrays import as_numpy
from .style import curve_style, new_figure, save_figure, style_axes


def plot_cmc(
    curves: Mapping[str, np.ndarray],
    path: str | os.PathLike | None = None,
    *,
    max_rank: int = 20,
    title: str = "Cumulative matching characteristic",
) -> Figure:
    """Draw CMC curves: the share of queries with a match within the first r ranks.

    Args:
        curves: ``result.cmc`` of :func:`~mmreid_ext.evaluation.evaluate_retrieval` under the name
            of each curve: fractions, shape (ranks,).
        path: Where to save the figure, or None to return it only.
        max_rank: Ranks shown. Defaults to 20.
        title: Heading of the figure.

    Returns:
        The figure.

    Raises:
        ValueError: If there is no curve or a value is no fraction.
    """
    _check_curves(curves)
    figure = new_figure(6.4, 4.4)
    axes = figure.add_subplot()
    style_axes(axes, title, "Rank r", "Queries matched within r, %")
    for number, (name, cmc) in enumerate(curves.items()):
        cmc = 100 * _fractions(name, as_numpy(cmc).astype(float)[:max_rank])
        ranks = np.arange(1, len(cmc) + 1)
        marker = "o" if len(cmc) <= 30 else None
        label = f"{name}  (R1 {cmc[0]:.1f})"
        axes.plot(ranks, cmc, marker=marker, markersize=4, label=label, **curve_style(number))
    bottom = axes.get_ylim()[0]
    axes.set_ylim(bottom, 100 + 0.02 * (100 - bottom))
    axes.set_xticks([1, *range(5, max_rank + 1, 5 * max(1, round(max_rank / 50)))])
    axes.legend(frameon=False, loc="lower right")
    if path is not None:
        save_figure(figure, path)
    return figure


def plot_roc(
    curves: Mapping[str, tuple[np.ndarray, np.ndarray]],
    path: str | os.PathLike | None = None,
    *,
    min_fpr: float = 1e-5,
    title: str = "Receiver operating characteristic",
) -> Figure:
    """Draw ROC curves over the pairs of queries and gallery images, false positives on a log axis.

    Args:
        curves: False positive rate and true positive rate under the name of each curve: fractions
            of equal shape, both rising. True positive rates that are all NaN, as a set of one
            person has them, leave the curve out; the legend says so.
        path: Where to save the figure, or None to return it only.
        min_fpr: Left end of the axis. Defaults to 1e-5.
        title: Heading of the figure.

    Returns:
        The figure.

    Raises:
        ValueError: If there is no curve, the two arrays differ in shape or a value is no fraction.
    """
    _check_curves(curves)
    figure = new_figure(6.4, 4.4)
    axes = figure.add_subplot()
    style_axes(axes, title, "False positive rate", "True positive rate, %")
    for number, (name, (fpr, tpr)) in enumerate(curves.items()):
        fpr, tpr = as_numpy(fpr).astype(float), as_numpy(tpr).astype(float)
        fpr = _fractions(name, fpr)
        if tpr.size and np.isnan(tpr).all():
            axes.step([], [], label=f"{name}  (pairs of one kind only)", **curve_style(number))
            continue
        tpr = _fractions(name, tpr)
        if fpr.shape != tpr.shape:
            raise UserError(f"Curve {name!r}: fpr has shape {fpr.shape}, tpr {tpr.shape}.")
        axes.step(fpr, 100 * tpr, where="post", label=name, **curve_style(number))
    axes.set_xscale("log")
    axes.set_xlim(min_fpr, 1.0)
    axes.set_ylim(-1, 101)
    axes.legend(frameon=False, loc="lower right")
    if path is not None:
        save_figure(figure, path)
    return figure


def _check_curves(curves: Mapping) -> None:
    if not curves:
        raise UserError("There is no curve to draw: give at least one entry, {'name': values}.")


def _fractions(name: str, values: np.ndarray) -> np.ndarray:
    if values.ndim != 1 or not len(values) or not ((values >= 0) & (values <= 1)).all():
        raise UserError(
            f"Curve {name!r} must be a 1-D array of fractions in [0, 1]; it has shape "
            f"{values.shape} and values up to {values.max(initial=0):g}. Divide percentages by 100."
        )
    return values
