"""Style Matplotlib figures alike, and leave Matplotlib's global state alone."""

from __future__ import annotations

import io
import os
from pathlib import Path
from typing import Any

from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.layout_engine import ConstrainedLayoutEngine

from mmreid_ext.errors import UserError
from mmreid_ext.output_files.atomic import atomic_write

INK, MUTED, PALE, LINE = "#1b1f26", "#626b78", "#c3c9d1", "#dfe3e8"
MATCH_COLOR, OTHER_COLOR, QUERY_COLOR = "#0b8457", "#cc3a2b", "#3450c4"

PALETTE = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#7a5195", "#4d4d4d")
"""Okabe and Ito's colours, told apart by colour-blind people; their yellow is too pale on white."""

LINE_STYLES = ("-", "--", "-.", ":")


def new_figure(width: float, height: float, dpi: int = 150) -> Figure:
    """Make an empty white figure, sized in inches and drawn by Agg whatever backend is set."""
    layout = ConstrainedLayoutEngine(w_pad=0.12, h_pad=0.12)
    figure = Figure(figsize=(width, height), dpi=dpi, facecolor="white", layout=layout)
    FigureCanvasAgg(figure)
    return figure


def style_axes(axes: Axes, title: str, xlabel: str, ylabel: str) -> None:
    """Make axes quiet: title on the left, grid behind, no box."""
    axes.set_title(title, loc="left", fontsize=12, fontweight="bold", color=INK, pad=12)
    axes.set_xlabel(xlabel, color=MUTED)
    axes.set_ylabel(ylabel, color=MUTED)
    axes.tick_params(which="both", colors=MUTED, length=0)
    axes.grid(color=LINE, linewidth=0.8)
    axes.set_axisbelow(True)
    for side in ("top", "right"):
        axes.spines[side].set_visible(False)
    for side in ("left", "bottom"):
        axes.spines[side].set_color(LINE)


def plain_text(text: str) -> str:
    """Let Matplotlib write a name as it is: ``$`` begins no formula, ``_`` hides no legend."""
    written = text.replace("$", r"\$")
    return f" {written}" if written.startswith("_") else written


def curve_style(number: int) -> dict[str, Any]:
    """Colour and dash of the ``number``-th curve of a figure, different for the first 8 x 4."""
    dash = LINE_STYLES[(number + number // len(PALETTE)) % len(LINE_STYLES)]
    return {"color": PALETTE[number % len(PALETTE)], "linestyle": dash, "linewidth": 2.0}


def picture_format(path: str | os.PathLike) -> str:
    """Return the format that the suffix of a path names, for example ``'png'``.

    Raises:
        ValueError: If Matplotlib writes no such format.
    """
    kind = Path(path).suffix.lstrip(".").lower()
    if kind not in FigureCanvasAgg.get_supported_filetypes():
        raise UserError(f"{path} has no suffix of a picture format: use .png, .pdf or .svg.")
    return kind


def save_figure(figure: Figure, path: str | os.PathLike) -> Path:
    """Write a figure; the suffix names the format (``.png``, ``.pdf``, ``.svg``).

    Args:
        figure: From :func:`new_figure`.
        path: The file to write; missing folders are made.

    Returns:
        The path written.

    Raises:
        ValueError: If the suffix is no format that Matplotlib writes.
    """
    path = Path(path)
    kind = picture_format(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    buffer = io.BytesIO()
    figure.savefig(buffer, format=kind)
    atomic_write(path, buffer.getvalue())
    return path
