"""The picture shows the gates' numbers, where they belong."""

import numpy as np
import pytest

from mmreid_ext.visualization.gates import Course, Gates, plot_gates, read_course
from mmreid_ext.visualization.gates.reading import numbered_checkpoints


def test_panels_show_the_numbers(training, tmp_path):
    read, course = read_course(numbered_checkpoints(training))
    figure = plot_gates(read[-1], course, tmp_path / "gates.svg")
    assert (tmp_path / "gates.svg").stat().st_size > 1000
    layers, over_time = figure.axes[:2]
    (means,) = (line for line in layers.lines if line.get_marker() == "o")
    np.testing.assert_allclose(means.get_ydata(), [1.0, 0.7, 0.4], atol=1e-6)
    assert [t.get_text() for t in layers.get_xticklabels()] == ["bn1", "0.bn1", "0.bn1"]
    assert [t.get_text() for t in layers.texts] == ["stem", "layer1", "layer2"]
    np.testing.assert_array_equal(over_time.collections[0].get_array(), course.means)
    assert [t.get_text() for t in over_time.get_yticklabels()] == ["stem", "layer1", "layer2"]
    assert over_time.get_ylim() == (2.5, -0.5), "the first layer on top"


def test_spread_is_that_of_the_channels():
    values = np.linspace(0, 1, 101)
    layers = plot_gates(Gates("a.pth", None, {"backbone.bn1": values})).axes[0]
    wide, half = (part.get_segments()[0][:, 1] for part in layers.collections)
    np.testing.assert_allclose((wide, half), [[0.05, 0.95], [0.25, 0.75]], atol=1e-12)


def test_columns_are_as_wide_as_the_time_between():
    course = Course(np.array([1.0, 3.0, 9.0]), "iteration", ["stem"], ["stem"], np.ones((1, 3)))
    mesh = plot_gates(None, course).axes[0].collections[0]
    np.testing.assert_array_equal(mesh.get_coordinates()[0, :, 0], [0, 2, 6, 12])
    alone = course._replace(at=course.at[:1], means=course.means[:, :1])
    assert plot_gates(None, alone).axes[0].get_xlim() == (0.5, 1.5)


@pytest.mark.parametrize("number", [53, 90])
def test_many_layers(number):
    names = [f"backbone.layer{1 + place // 30}.{place}.bn1" for place in range(number)]
    axes = plot_gates(Gates("r.pth", None, {name: np.ones(3) for name in names})).axes[0]
    assert len(axes.get_xticklabels()) == (number if number < 70 else len(axes.get_xticks()))
    assert ("90 layers" in axes.get_xlabel()) == (number == 90)


def test_gates_outside_of_their_range_stay_visible():
    gates = Gates("a.pth", None, {"backbone.bn1": np.array([-0.5, 1.5])})
    low, high = plot_gates(gates).axes[0].get_ylim()
    assert low < -0.5 and high > 1.5
