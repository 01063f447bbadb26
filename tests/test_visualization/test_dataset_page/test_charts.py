"""Counts as bars of HTML."""

import re

from mmreid_ext.visualization.dataset_page.charts import bar_chart, histogram


def heights(text):
    return [float(value) for value in re.findall(r"height:([\d.]+)%", text)]


def test_bars_are_as_high_as_counts():
    text = histogram("people", [1, 1, 1, 1, 2, 4, 4], "images")
    assert heights(text) == [100.0, 25.0, 0.0, 50.0]
    assert '"1 images: 4"' in text and '"4 images: 2"' in text


def test_wide_ranges_share_bars_and_lose_no_value():
    values = list(range(1, 1001))
    text = histogram("sizes", values, "pixels")
    counts = [int(c) for c in re.findall(r'pixels: ([\d,]+)"', text)]
    assert sum(counts) == 1000 and 12 <= len(counts) <= 24
    assert '"1 to 42 pixels: 42"' in text


def test_nothing_draws_nothing():
    assert histogram("x", [], "images") == ""


def test_names_are_escaped_and_bars_bounded():
    text = bar_chart("<b>", {"<i>": 2, **{f"cam {k}": 1 for k in range(100)}})
    assert "<b>" not in text and "<i>" not in text
    assert text.count('class="row"') == 48 and "and 53 others" in text
    assert "width:100.0%" in text and "width:50.0%" in text
