"""Draw similarity maps over their images."""

from __future__ import annotations

import os
from collections.abc import Sequence

import numpy as np
import torch
import torch.nn.functional as F
from matplotlib import colormaps
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.colors import Normalize
from matplotlib.figure import Figure

from mmreid_ext.shorten import one_line
from mmreid_ext.visualization.style import INK, MUTED, new_figure, plain_text, save_figure

from .contributions import PairMaps

_COLORS = colormaps["PuOr_r"]
"""Orange adds, purple takes away: told apart by colour-blind people."""

_STRONGEST = 0.85
"""Opacity of the strongest place; the image stays visible below."""

_LONGEST = 24
"""Characters of a name that fit under a picture."""


def plot_similarity_maps(
    maps: PairMaps,
    images: Sequence[np.ndarray],
    names: Sequence[str],
    path: str | os.PathLike | None = None,
) -> Figure:
    """Draw the images, and beside each what its places add to the similarity.

    Args:
        maps: From :func:`.contributions.similarity_maps`.
        images: One or two, as the network sees them, (H, W, 3) uint8 RGB.
        names: Written below them.
        path: Where to save the figure, or None to return it only.

    Returns:
        The figure. Orange places draw the images together, purple ones apart. Both maps have one
        scale.
    """
    pair = len(images) > 1
    shown = [maps.first, maps.second] if pair else [maps.first]
    limit = max(float(np.abs(values).max()) for values in shown) or 1.0
    height, width = images[0].shape[:2]
    figure = new_figure(1.2 + 2.0 * 2 * len(images), 1.1 + min(1.85 * height / width, 5.0))
    head = f"Cosine similarity {maps.similarity:.3f}" if pair else "The embedding of one image"
    figure.suptitle(head, color=INK, fontweight="bold")
    axes = figure.subplots(1, 2 * len(images), squeeze=False)[0]
    for number, (image, values) in enumerate(zip(images, shown, strict=True)):
        plain, laid_over = 2 * number, 2 * number + 1
        if number:  # the two maps stand side by side
            plain, laid_over = laid_over, plain
        _picture(axes[plain], image, plain_text(one_line(names[number], _LONGEST)))
        rest = f"{values.sum():+.3f} by places, {maps.rests[number]:+.3f} constant"
        _picture(axes[laid_over], overlay(image, values, limit), rest)
    bar = figure.colorbar(
        ScalarMappable(Normalize(-limit, limit), _COLORS), ax=list(axes), shrink=0.8, pad=0.01
    )
    bar.set_label("added to the similarity, per place", color=MUTED)
    bar.outline.set_visible(False)
    bar.ax.tick_params(colors=MUTED, length=0, labelsize=8)
    if path is not None:
        save_figure(figure, path)
    return figure


def overlay(image: np.ndarray, values: np.ndarray, limit: float) -> np.ndarray:
    """Lay a map over a grey copy of its image.

    Args:
        image: Shape (H, W, 3), uint8.
        values: Shape (h, w), enlarged bilinearly.
        limit: Value of the strongest colour.

    Returns:
        Shape (H, W, 3), float64 in [0, 1].
    """
    size = image.shape[:2]
    small = torch.from_numpy(np.ascontiguousarray(values, np.float64))[None, None]
    large = F.interpolate(small, size=size, mode="bilinear", align_corners=False)[0, 0].numpy()
    share = np.clip(large / limit, -1, 1)
    grey = 0.25 + 0.75 * np.repeat(image.mean(axis=2, keepdims=True) / 255, 3, axis=2)
    strength = _STRONGEST * np.abs(share)[..., None]
    return (1 - strength) * grey + strength * _COLORS((share + 1) / 2)[..., :3]


def _picture(axes: Axes, image: np.ndarray, caption: str) -> None:
    axes.imshow(image, interpolation="nearest")
    axes.set_xticks([])
    axes.set_yticks([])
    axes.set_xlabel(caption, color=MUTED, fontsize=8)
    for spine in axes.spines.values():
        spine.set_visible(False)
