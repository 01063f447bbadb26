"""Draw the gates of batch-instance norms over the layers and over the training.

BIN: H. Nam, H.-E. Kim, "Batch-Instance Normalization for Adaptively Style-Invariant Neural
Networks", NeurIPS 2018. https://arxiv.org/abs/1805.07925
MetaBIN: S. Choi et al., "Meta Batch-Instance Normalization for Generalizable Person
Re-Identification", CVPR 2021. https://arxiv.org/abs/2011.14670
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from itertools import groupby
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from mmreid_ext.shorten import one_line
from mmreid_ext.stage_names import stage_of
from mmreid_ext.visualization.style import (
    INK,
    LINE,
    MUTED,
    PALETTE,
    new_figure,
    plain_text,
    save_figure,
    style_axes,
)

from .numbers import QUANTILES
from .reading import Course, Gates

_READABLE = 70
"""Layers up to which each gets its name; more would overlap."""

_LONGEST = 40
"""Characters of a layer's name that are written."""


def plot_gates(
    gates: Gates | None,
    course: Course | None = None,
    path: str | os.PathLike | None = None,
    *,
    title: str = "Gates of batch-instance norms",
) -> Figure:
    r"""Draw the share of batch norm (the gate :math:`\rho`) in every layer, and over the training.

    Args:
        gates: Of one checkpoint: mean and spread over the channels of every layer. None leaves
            that panel out.
        course: Of a training: a map of layers (or stages) and time. None leaves it out.
        path: Where to save the figure, or None to return it only.
        title: Heading of the figure.

    Returns:
        The figure.
    """
    layers = len(gates.layers) if gates else 0
    width = float(np.clip(2.4 + 0.2 * max(layers, 0), 7.5, 15.0))
    heights = [4.2] * bool(gates) + [_height(course)] * bool(course)
    figure = new_figure(width, 0.5 + sum(heights))
    figure.suptitle(title, color=INK, fontweight="bold")
    panels = figure.subplots(len(heights), 1, squeeze=False, height_ratios=heights)[:, 0]
    if gates:
        _draw_layers(panels[0], gates)
    if course:
        _draw_course(figure, panels[-1], course)
    if path is not None:
        save_figure(figure, path)
    return figure


def _height(course: Course | None) -> float:
    return 0.0 if course is None else float(np.clip(1.6 + 0.13 * len(course.names), 2.6, 9.0))


def _draw_layers(axes: Axes, gates: Gates) -> None:
    at = np.arange(len(gates.layers))
    levels = list(QUANTILES.values())
    p05, p25, _, p75, p95 = np.array(
        [np.percentile(values, levels) for values in gates.layers.values()]
    ).T
    means = [values.mean() for values in gates.layers.values()]
    style_axes(
        axes, f"Over the layers, {plain_text(gates.source)}", "", "gate: share of batch norm"
    )
    axes.grid(visible=False, axis="x")
    color = PALETTE[0]
    rim: dict[str, Any] = dict(markeredgecolor="white", markeredgewidth=0.8)
    axes.vlines(at, p05, p95, color=color, linewidth=1.2, alpha=0.6, label="90 % of the channels")
    axes.vlines(at, p25, p75, color=color, linewidth=5, alpha=0.45, label="half of the channels")
    axes.plot(at, means, "o", color=PALETTE[1], markersize=6, label="mean of the channels", **rim)
    low = min(0.0, *(values.min() for values in gates.layers.values()))
    high = max(1.0, *(values.max() for values in gates.layers.values()))
    axes.set_ylim(low - 0.03 * (high - low), high + 0.2 * (high - low))  # room for words
    rounding = 1e-9
    axes.set_yticks([y for y in axes.get_yticks() if low - rounding <= y <= high + rounding])
    axes.set_xlim(-0.6, len(at) - 0.4)
    stages = [stage_of(name) for name in gates.layers]
    for start, end, stage in _runs(stages):
        if start:
            axes.axvline(start - 0.5, color=LINE, linewidth=1.2)
        axes.text(
            (start + end) / 2, high + 0.04 * (high - low), plain_text(stage), color=INK, ha="center"
        )
    _name_layers(axes, at, list(gates.layers))
    axes.legend(frameon=False, fontsize=8, ncols=3, loc="upper left", borderpad=0)


def _name_layers(axes: Axes, at: np.ndarray, names: Sequence[str]) -> None:
    """Write the names below, or their number where they would overlap."""
    if len(names) > _READABLE:
        axes.set_xlabel(f"{len(names)} layers in the order of the network", color=MUTED)
        return
    axes.set_xticks(at, [_short(name) for name in names], rotation=90, fontsize=7)


def _short(name: str) -> str:
    """Leave out what the stage's name says: ``0.bn1`` for ``backbone.layer2.0.bn1``."""
    name = name.removeprefix("backbone.")
    return plain_text(one_line(name.removeprefix(f"{stage_of(name)}."), _LONGEST))


def _runs(stages: Sequence[str]) -> list[tuple[int, int, str]]:
    """First and last place of every stretch of one stage."""
    stretches, start = [], 0
    for stage, members in groupby(stages):
        length = len(list(members))
        stretches.append((start, start + length - 1, stage))
        start += length
    return stretches


def _draw_course(figure: Figure, axes: Axes, course: Course) -> None:
    rows = len(course.names)
    low = min(0.9, np.floor(10 * course.means.min()) / 10)
    mesh = axes.pcolormesh(
        _edges(course.at),
        np.arange(rows + 1) - 0.5,
        course.means,
        cmap="cividis",
        vmin=low,
        vmax=max(1.0, course.means.max()),
    )
    bar = figure.colorbar(mesh, ax=axes, pad=0.01)
    bar.set_label("mean share of batch norm", color=MUTED)
    bar.outline.set_visible(False)
    bar.ax.tick_params(colors=MUTED, length=0)
    style_axes(axes, "Over the training", course.axis, "")
    axes.grid(visible=False)
    stretches = _runs(course.stages)
    axes.set_yticks(
        [(start + end) / 2 for start, end, _ in stretches], [plain_text(s) for *_, s in stretches]
    )
    for start, _, _ in stretches[1:]:
        axes.axhline(start - 0.5, color="white", linewidth=1.2)
    axes.set_ylim(rows - 0.5, -0.5)  # the first layer on top


def _edges(at: np.ndarray) -> np.ndarray:
    """Borders of the columns: half-way between two checkpoints, as wide outside as inside."""
    if len(at) == 1:
        return np.array([at[0] - 0.5, at[0] + 0.5])
    middle = (at[1:] + at[:-1]) / 2
    return np.array([2 * at[0] - middle[0], *middle, 2 * at[-1] - middle[-1]])
