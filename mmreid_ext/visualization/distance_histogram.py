"""Count and plot the distances of positive and negative pairs."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import Any

import numpy as np
from matplotlib.figure import Figure

from mmreid_ext.errors import UserError

from .pair_blocks import DISTANCES, PairBlocks
from .style import INK, MATCH_COLOR, MUTED, OTHER_COLOR, new_figure, save_figure, style_axes


@dataclass(frozen=True)
class PairHistogram:
    """Hold the numbers of pairs by distance.

    Attributes:
        edges: Ends of the bins, shape (bins + 1,).
        true: Positive pairs (matches) in each bin, shape (bins,), int64.
        false: Negative pairs (two identities) in each bin, shape (bins,), int64.
        distance: What the distances are, in words.
    """

    edges: np.ndarray
    true: np.ndarray
    false: np.ndarray
    distance: str

    @property
    def overlap(self) -> float:
        """Area shared by the two normalised histograms: 0 for separable pairs, 1 for chance.

        NaN if there are no positive or no negative pairs, as in a set of one person.
        """
        if not (self.true.any() and self.false.any()):
            return float("nan")
        true, false = self.true / max(1, self.true.sum()), self.false / max(1, self.false.sum())
        return float(np.minimum(true, false).sum())


def pair_histogram(*arrays: Any, distance: str = "cosine", bins: int = 100) -> PairHistogram:
    """Count positive and negative pairs by distance.

    Pairs that the protocol removes are counted nowhere. All queries take part, also those without a
    match, which TPR@FPR and the ROC curve leave out.

    Args:
        *arrays: ``query_feats, gallery_feats, query_pids, gallery_pids`` and, for the camera rule,
            ``query_camids, gallery_camids``, as for
            :func:`~mmreid_ext.evaluation.evaluate_retrieval`.
        distance: ``'cosine'`` or ``'euclidean'``.
        bins: Number of bins over the possible distances: 0 to 2 for cosine, 0 to the sum of the
            longest query and the longest gallery embedding for Euclidean. Defaults to 100.

    Returns:
        The counts.

    Raises:
        ValueError: As :class:`~mmreid_ext.visualization.pair_blocks.PairBlocks`.
    """
    pairs = PairBlocks(*arrays, distance=distance)
    top = pairs.max_distance
    true, false = np.zeros(bins, np.int64), np.zeros(bins, np.int64)
    for rows in pairs.split():
        # Rounding can push the ends out by 1e-7; clamped, no pair is lost.
        distances = pairs.to_distance(pairs.scores(rows, exact=False)).clamp_max(top)
        same = pairs.same_identity(rows)
        for counts, chosen in ((true, same & ~pairs.removed(rows)), (false, ~same)):
            counts += np.histogram(distances[chosen].cpu().numpy(), bins, (0.0, top))[0]
    return PairHistogram(np.linspace(0.0, top, bins + 1), true, false, DISTANCES[distance])


def plot_distance_histogram(
    histogram: PairHistogram,
    path: str | os.PathLike | None = None,
    *,
    title: str = "Distances of positive and negative pairs",
) -> Figure:
    """Draw the two distributions, each with area one, since there are far more negative pairs.

    Args:
        histogram: From :func:`pair_histogram`.
        path: Where to save the figure, or None to return it only.
        title: Heading of the figure.

    Returns:
        The figure.

    Raises:
        ValueError: If there is no pair at all.
    """
    if not histogram.true.sum() + histogram.false.sum():
        raise UserError("There is no pair to draw: every gallery image was removed as junk.")
    figure = new_figure(6.4, 4.4)
    axes = figure.add_subplot()
    style_axes(axes, title, histogram.distance.capitalize(), "Density")
    width = np.diff(histogram.edges)
    kinds = (
        ("Positive pairs", histogram.true, MATCH_COLOR, "-"),
        ("Negative pairs", histogram.false, OTHER_COLOR, "--"),
    )
    for name, counts, color, dash in kinds:
        density = counts / (max(1, counts.sum()) * width)
        label = f"{name}  ({counts.sum():,})"
        axes.stairs(density, histogram.edges, fill=True, alpha=0.22, color=color, linewidth=0)
        axes.stairs(
            density, histogram.edges, color=color, linestyle=dash, linewidth=1.8, label=label
        )
    used = np.flatnonzero(histogram.true + histogram.false)
    margin = 0.02 * (histogram.edges[used[-1] + 1] - histogram.edges[used[0]])
    axes.set_xlim(histogram.edges[used[0]] - margin, histogram.edges[used[-1] + 1] + margin)
    axes.set_ylim(bottom=0)
    axes.grid(False, axis="x")
    overlap = histogram.overlap
    words = "Pairs of one kind only" if np.isnan(overlap) else f"Overlap {100 * overlap:.1f} %"
    legend = axes.legend(frameon=False, title=words)
    legend.get_title().set_color(MUTED)
    for text in legend.get_texts():
        text.set_color(INK)
    if path is not None:
        save_figure(figure, path)
    return figure
