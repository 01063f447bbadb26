"""Draw the curves of trainings: one panel per value, one line per run or group of seeds."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping, Sequence
from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from mmreid_ext.errors import UserError
from mmreid_ext.shorten import several
from mmreid_ext.visualization.style import (
    LINE_STYLES,
    MUTED,
    PALETTE,
    curve_style,
    new_figure,
    plain_text,
    save_figure,
    style_axes,
)

from .asked_keys import panels_of
from .seeds import Group, curve_of, keys_of

_TITLES = {"lr": "learning rate"}
_PERCENT = re.compile(r"(?:.*/)?(?:mAP|mINP|R\d+|NMI|MAP@R|R-precision|TPR@.*)")
_MARKED = 30
"""Points up to which each gets a mark."""


def plot_runs(
    groups: Sequence[Group],
    keys: Sequence[str] | None = None,
    path: str | os.PathLike | None = None,
    *,
    title: str = "",
) -> Figure:
    """Draw logged values over the training.

    Args:
        groups: Runs, or seeds of one setting: these become their mean and a band from the lowest
            to the highest.
        keys: One panel each, see :func:`.asked_keys.panels_of`. None: losses, learning rates, mAP
            and R1.
        path: Where to save the figure, or None to return it only.
        title: Heading of the figure.

    Returns:
        The figure.

    Raises:
        UserError: If a key was not logged, or some runs count epochs and others iterations.
    """
    axis = _common_axis(groups)
    panels = panels_of(keys, keys_of(groups))
    columns = min(2, len(panels))
    rows = -(-len(panels) // columns)
    figure = new_figure(5.2 * columns, 0.4 * bool(title) + 3.3 * rows)
    if title:
        figure.suptitle(plain_text(title), fontweight="bold")
    places = figure.subplots(rows, columns, squeeze=False).ravel()
    for axes, (word, names) in zip(places, panels.items(), strict=False):
        _draw(axes, groups, names)
        percent = all(_PERCENT.fullmatch(name) for name in names)
        style_axes(axes, _TITLES.get(word, plain_text(word)), axis, "%" if percent else "")
        axes.margins(x=0.02)
    for axes in places[len(panels) :]:
        axes.axis("off")
    if path is not None:
        save_figure(figure, path)
    return figure


def _common_axis(groups: Sequence[Group]) -> str:
    axes: dict[str, str] = {}
    for group in groups:
        for run in group.runs:
            axes.setdefault(run.axis, group.name)
    if len(axes) > 1:
        raise UserError(
            f"{axes['epoch']} counts epochs and {axes['iteration']} counts iterations, so they "
            "share no axis; draw them apart."
        )
    return next(iter(axes), "iteration")


def _draw(axes: Axes, groups: Sequence[Group], names: Sequence[str]) -> None:
    drawn = 0
    for number, group in enumerate(groups):
        for key_number, key in enumerate(names):
            curve = curve_of(group, key)
            if curve is None:
                continue
            style = _style(number, key_number, len(groups), len(names))
            marker = "o" if len(curve.at) <= _MARKED else None
            label = _label(group, key, curve.runs, len(groups), len(names))
            axes.plot(curve.at, curve.mean, marker=marker, markersize=4, label=label, **style)
            if curve.runs > 1:
                axes.fill_between(
                    curve.at, curve.low, curve.high, alpha=0.2, color=style["color"], linewidth=0
                )
            drawn += 1
    if drawn > 1 or any(len(group.runs) > 1 for group in groups):
        axes.legend(fontsize=8, labelcolor=MUTED, edgecolor="none", framealpha=0.85)


def _style(group: int, key: int, groups: int, keys: int) -> dict[str, Any]:
    """Colours tell runs apart and dashes values; whichever there is one of leaves both."""
    if groups == 1 or keys == 1:
        return curve_style(group if keys == 1 else key)
    dash = LINE_STYLES[key % len(LINE_STYLES)]
    return dict(color=PALETTE[group % len(PALETTE)], linestyle=dash, linewidth=2.0)


def _label(group: Group, key: str, runs: int, groups: int, keys: int) -> str:
    seeds = f" ({several(runs, 'seed')})" if runs > 1 else ""
    parts = [group.name + seeds] if groups > 1 or keys == 1 else []
    label = ", ".join([*parts, *([key] if keys > 1 else [])]) + ("" if parts else seeds)
    return plain_text(label)


def summary(groups: Sequence[Group]) -> Mapping[str, str]:
    """Describe every logged value: how often it was logged, its first and its last value."""
    lines = {}
    for key in keys_of(groups):
        found = [run.series[key] for group in groups for run in group.runs if key in run.series]
        times = several(sum(len(series.at) for series in found), "value")
        first, last = found[0].values[0], found[0].values[-1]
        lines[key] = f"{times}, from {first:.4g} to {last:.4g}"
    return lines
