"""Matplotlib figures that look alike and leave the global state alone."""

import subprocess
import sys

import matplotlib
import pytest
from matplotlib.colors import to_hex
from PIL import Image

from mmreid_ext.visualization.style import (
    PALETTE,
    curve_style,
    new_figure,
    picture_format,
    plain_text,
    save_figure,
    style_axes,
)


@pytest.mark.slow
def test_pictures_leave_the_global_backend_alone():
    code = (
        "import matplotlib, sys; matplotlib.use('svg'); import mmreid_ext.visualization as v;"
        "v.plot_cmc({'a': [0.5, 1.0]}); assert matplotlib.get_backend() == 'svg';"
        "assert 'matplotlib.pyplot' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
    assert matplotlib.get_backend()


def test_the_first_32_curves_look_different():
    styles = [curve_style(number) for number in range(32)]
    assert len({(style["color"], style["linestyle"]) for style in styles}) == 32
    # neighbours differ in colour and dash, for those who see few colours
    for one, other in zip(styles, styles[1:8], strict=False):
        assert one["color"] != other["color"] and one["linestyle"] != other["linestyle"]
    assert [style["color"] for style in styles[:8]] == list(PALETTE)


def test_a_figure_has_its_size_and_quiet_axes(tmp_path):
    figure = new_figure(3.0, 2.0, dpi=100)
    axes = figure.add_subplot()
    style_axes(axes, "Title", "x", "y")
    assert axes.get_title(loc="left") == "Title" and axes.get_xlabel() == "x"
    assert not axes.spines["top"].get_visible() and not axes.spines["right"].get_visible()
    assert to_hex(figure.get_facecolor()) == "#ffffff"
    path = save_figure(figure, tmp_path / "new" / "picture.PNG")
    assert Image.open(path).size == (300, 200)


@pytest.mark.parametrize("name", ["picture", "picture.doc", "png"])
def test_a_suffix_of_no_picture_format_is_refused(name, tmp_path):
    assert picture_format("a/b.SVG") == "svg"
    with pytest.raises(ValueError, match="no suffix of a picture format: use .png, .pdf or .svg"):
        save_figure(new_figure(1, 1), tmp_path / name)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("name", ["_a$b$", r"$\frac$", "a_b", "100 $"])
def test_names_are_written_as_they_are(name, tmp_path):
    figure = new_figure(3, 2)
    axes = figure.add_subplot()
    axes.plot([0, 1], label=plain_text(name))
    axes.legend()
    save_figure(figure, tmp_path / "a.svg")
    assert f"<!-- {' ' * name.startswith('_')}{name} -->" in (tmp_path / "a.svg").read_text()
