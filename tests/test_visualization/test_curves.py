"""CMC and ROC curves: the values drawn, and values that are refused."""

import numpy as np
import pytest
from PIL import Image

from mmreid_ext.visualization import plot_cmc, plot_roc


def test_cmc_draws_the_given_values_in_percent(tmp_path):
    curves = {"plain": np.array([0.5, 0.75, 1.0]), "re-ranked": np.array([0.6, 0.9, 0.9])}
    figure = plot_cmc(curves, tmp_path / "new" / "cmc.png", max_rank=2)
    lines = figure.axes[0].get_lines()
    assert [line.get_ydata().tolist() for line in lines] == [[50, 75], [60, 90]]
    assert [line.get_xdata().tolist() for line in lines] == [[1, 2], [1, 2]]
    # the curves stay apart without colours
    assert len({line.get_linestyle() for line in lines}) == 2
    assert Image.open(tmp_path / "new" / "cmc.png").size == (960, 660)


def test_roc_draws_the_given_values(tmp_path):
    figure = plot_roc({"a": (np.array([1e-3, 0.1, 1]), np.array([0.2, 0.6, 1]))})
    axes = figure.axes[0]
    assert axes.get_xscale() == "log"
    assert axes.get_lines()[0].get_ydata().tolist() == pytest.approx([20, 60, 100])


def test_curves_refuse_percent_and_nothing():
    with pytest.raises(ValueError, match="'a' must be .* fractions"):
        plot_cmc({"a": np.array([50.0, 90.0])})
    with pytest.raises(ValueError, match="no curve"):
        plot_roc({})
    with pytest.raises(ValueError, match=r"fpr has shape \(2,\), tpr \(3,\)"):
        plot_roc({"a": (np.zeros(2), np.zeros(3))})
