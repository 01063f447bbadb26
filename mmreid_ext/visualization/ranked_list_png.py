"""Draw ranked lists as one picture, for a paper, a slide or a log."""

from __future__ import annotations

import os
from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from mmreid_ext.errors import UserError
from mmreid_ext.protocols.camera_label import UNKNOWN_CAMERA, camera_label

from .ranked_lists import RankedList, RankedLists, check_paths, with_known_cameras
from .style import INK, MATCH_COLOR, MUTED, OTHER_COLOR, QUERY_COLOR, new_figure, save_figure
from .thumbnails import ThumbnailReader

# Measures in pixels of a thumbnail that is 64 x 128, whatever the figure is scaled to.
_WIDTH, _HEIGHT = 64, 128
_STEP, _ROW, _GAP, _HEAD = _WIDTH + 12, _HEIGHT + 66, 40, 76
_MARGIN = 14


def save_ranked_list_png(
    path: str | os.PathLike,
    ranked: RankedLists,
    query_paths: Sequence[str],
    gallery_paths: Sequence[str],
    *,
    image_root: str | os.PathLike = "",
    limit: int = 10,
    title: str = "Ranked lists",
) -> Figure:
    """Draw the worst queries, one per row, before and (if computed) after re-ranking side by side.

    Args:
        path: The file to write (``.png``, ``.pdf`` or ``.svg``); missing folders are made.
        ranked: From :func:`rank_queries`.
        query_paths: Image file of each query, shape (Q,).
        gallery_paths: Image file of each gallery image, shape (G,).
        image_root: Folder that relative paths start from.
        limit: Rows drawn, the worst first. Defaults to 10.
        title: Heading of the picture.

    Returns:
        The figure.

    Raises:
        ValueError: If the paths don't correspond, or ``limit`` is below 1.
    """
    check_paths(ranked, query_paths, gallery_paths)
    ranked = with_known_cameras(ranked)
    if limit < 1:
        raise UserError(f"save_ranked_list_png: limit={limit} must be at least 1.")
    rows = ranked.queries[:limit]
    width = _MARGIN * 2 + _STEP + len(ranked.lists) * (_GAP + ranked.topk * _STEP)
    height = _HEAD + len(rows) * _ROW + _MARGIN
    figure = new_figure(width / 100, height / 100)
    figure.set_layout_engine("none")
    axes = figure.add_axes((0, 0, 1, 1), xlim=(0, width), ylim=(height, 0))
    axes.axis("off")
    reader = ThumbnailReader(image_root, 2 * _HEIGHT)
    _draw_head(axes, ranked, title)
    for place, row in enumerate(rows):
        top = _HEAD + place * _ROW
        _draw_query(axes, ranked, reader, place, top, str(query_paths[row]))
        for number, entry in enumerate(ranked.lists):
            left = _left(ranked, number)
            _draw_list(axes, ranked, entry, reader, (place, left, top), gallery_paths)
    save_figure(figure, path)
    return figure


def _left(ranked: RankedLists, number: int) -> int:
    """Where a list starts, in pixels."""
    return _MARGIN + _STEP + _GAP + number * (ranked.topk * _STEP + _GAP)


def _draw_head(axes: Axes, ranked: RankedLists, title: str) -> None:
    _text(axes, _MARGIN, 24, title, size=15, weight="bold")
    legend = "✓ solid: match   ·   ✗ dashed: other identity   ·   removed images not drawn"
    _text(axes, _MARGIN, 66, "Query", weight="bold", color=QUERY_COLOR)
    for number, entry in enumerate(ranked.lists):
        # Short enough for lists of three pictures; the page has the other scores.
        scores = "   ".join(f"{name} {100 * entry.scores[name]:.1f}" for name in ("mAP", "R1"))
        head = f"{entry.name}   {scores}"
        _text(axes, _left(ranked, number), 66, head, weight="bold")
    right = axes.get_xlim()[1] - _MARGIN - 12
    _text(axes, right, 24, legend, color=MUTED, align="right")


def _draw_query(
    axes: Axes, ranked: RankedLists, reader: ThumbnailReader, place: int, top: int, path: str
) -> None:
    row = ranked.queries[place]
    _picture(axes, reader, path, _MARGIN, top, QUERY_COLOR, "-")
    label = ranked.person(ranked.query_pids[row])
    _text(axes, _MARGIN + _WIDTH / 2, top + _HEIGHT + 16, label, align="center")
    _camera(axes, _MARGIN, top, ranked.query_camids, row, INK)


def _draw_list(
    axes: Axes,
    ranked: RankedLists,
    entry: RankedList,
    reader: ThumbnailReader,
    corner: tuple[int, int, int],
    paths: Sequence[str],
) -> None:
    place, left, top = corner
    for rank, row in enumerate(entry.indices[place]):
        if row < 0:
            break
        match, x = bool(entry.matches[place, rank]), left + rank * _STEP
        color = MATCH_COLOR if match else OTHER_COLOR
        _picture(axes, reader, str(paths[row]), x, top, color, "-" if match else (0, (3, 1.6)))
        _mark(axes, x + _WIDTH - 4, top + _HEIGHT - 4, "✓" if match else "✗", color)
        distance = f"{entry.distances[place, rank]:.3f}"
        _text(axes, x + _WIDTH / 2, top + _HEIGHT + 16, distance, align="center")
        _camera(axes, x, top, ranked.gallery_camids, row, MUTED)
    note = f"AP {100 * entry.ap[place]:.1f}, first match at rank {entry.first_match[place]}"
    _text(axes, left, top + _HEIGHT + 48, note, color=MUTED)


def _camera(
    axes: Axes, x: float, top: float, camids: np.ndarray | None, row: int, color: str
) -> None:
    """The camera in the second line under a picture."""
    if camids is not None:
        text = camera_label(camids[row])
        size = 6.5 if text == UNKNOWN_CAMERA else 8.5  # no wider than the step to the next picture
        _text(
            axes, x + _WIDTH / 2, top + _HEIGHT + 31, text, size=size, align="center", color=color
        )


def _picture(
    axes: Axes, reader: ThumbnailReader, path: str, x: float, y: float, color: str, dash: object
) -> None:
    image = reader.image(path)
    scale = min(_WIDTH / image.width, _HEIGHT / image.height)
    wide, high = image.width * scale, image.height * scale
    x0, y0 = x + (_WIDTH - wide) / 2, y + (_HEIGHT - high) / 2
    axes.imshow(np.asarray(image), extent=(x0, x0 + wide, y0 + high, y0), aspect="auto")
    frame = Rectangle(
        (x, y), _WIDTH, _HEIGHT, fill=False, edgecolor=color, linewidth=2.4, linestyle=dash
    )
    axes.add_patch(frame)


def _mark(axes: Axes, x: float, y: float, sign: str, color: str) -> None:
    axes.scatter(
        [x],
        [y],
        s=110,
        c=color,
        marker="o" if sign == "✓" else "s",
        zorder=3,
        edgecolors="white",
        linewidths=1.2,
    )
    axes.text(x, y, sign, color="white", fontsize=7.5, ha="center", va="center_baseline", zorder=4)


def _text(
    axes: Axes,
    x: float,
    y: float,
    text: str,
    *,
    size: float = 8.5,
    align: str = "left",
    weight: str = "normal",
    color: str = INK,
) -> None:
    # `parse_math` off: a dollar sign in a title is a dollar sign.
    axes.text(
        x,
        y,
        text,
        fontsize=size,
        ha=align,
        va="baseline",
        fontweight=weight,
        color=color,
        parse_math=False,
    )
