"""Draw counts as bars of HTML: they follow the page's width and colours, and need no script."""

from __future__ import annotations

import html
from collections.abc import Mapping, Sequence

import numpy as np

from mmreid_ext.shorten import several

_BINS = 24


def histogram(title: str, values: Sequence[int] | np.ndarray, unit: str) -> str:
    """Draw how often whole numbers occur.

    Args:
        title: Heading.
        values: Whole numbers, any count of them.
        unit: What the values count, for the tips: ``'images'``.
    """
    numbers = np.asarray(values)
    if not len(numbers):
        return ""
    low, high = int(numbers.min()), int(numbers.max())
    width = max(1, -(-(high - low + 1) // _BINS))
    edges = np.arange(low, high + width + 1, width)
    counts, _ = np.histogram(numbers, bins=edges)
    labels = [
        f"{a} {unit}" if width == 1 else f"{a} to {b - 1} {unit}"
        for a, b in zip(edges[:-1], edges[1:], strict=True)
    ]
    axis = f"<span>{low:,}</span><span>{html.escape(unit)}</span><span>{high:,}</span>"
    return _panel(title, _bars(labels, counts.tolist()), axis)


def bar_chart(title: str, counts: Mapping[str, int]) -> str:
    """Draw a bar for each name, at most a few dozen of them."""
    shown = dict(list(counts.items())[: 2 * _BINS])
    rows = "".join(
        f'<div class="row"><span class="label">{html.escape(name)}</span>'
        f'<span class="track"><span class="fill" style="width:{_share(count, shown):.1f}%">'
        f'</span></span><span class="number">{count:,}</span></div>'
        for name, count in shown.items()
    )
    more = len(counts) - len(shown)
    rest = f'<p class="muted">and {several(more, "other")}</p>' if more else ""
    return f'<section class="panel chart"><h3>{html.escape(title)}</h3>{rows}{rest}</section>'


def _share(count: int, counts: Mapping[str, int]) -> float:
    return 100 * count / max(1, *counts.values())


def _bars(labels: Sequence[str], counts: Sequence[int]) -> str:
    top = max(1, *counts)
    return "".join(
        f'<div class="bin" title="{html.escape(label)}: {count:,}">'
        f'<div class="bar{" some" if count else ""}" style="height:{100 * count / top:.1f}%"></div>'
        "</div>"
        for label, count in zip(labels, counts, strict=True)
    )


def _panel(title: str, bars: str, axis: str) -> str:
    return (
        f'<section class="panel chart"><h3>{html.escape(title)}</h3><div class="bars">{bars}</div>'
        f'<div class="axis muted">{axis}</div></section>'
    )
