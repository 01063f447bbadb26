"""One line of figures: everything where there is room, what matters most where there isn't."""

import pytest

from mmreid_ext.cli.screen.figures import Figures, short

VALUES = {
    "lr": 3.5e-4,
    "loss": 5.732,
    "loss_ce": 3.6,
    "loss_triplet": 2.132,
    "meta_train/loss_shuffle": 3.89,
    "gate/mean": 0.97604,
    "gate/layer1/mean": 0.5,
    "inner_lr": 0.1,
}
FIGURES = Figures("iter 4/60", VALUES, 70.25, 129.4, ["memory 10 MB"])


def test_the_whole_line():
    assert FIGURES.whole() == (
        "iter 4/60  loss 5.73  eta 0:02:09  lr 0.00035  gate 0.976  70.2 images/s  "
        "ce 3.60 triplet 2.13  meta-train: shuffle 3.89  memory 10 MB"
    )


@pytest.mark.parametrize("width", [4, 9, 20, 40, 80, 120])
def test_a_fitted_line_fits_and_begins_with_the_place(width):
    line = FIGURES.fitted(width)
    assert len(line) <= width
    assert line.startswith("iter 4/60"[:width])


def test_what_matters_most_stays():
    assert FIGURES.fitted(21) == "iter 4/60  loss 5.73"
    assert "gate 0.976" in FIGURES.fitted(80) and "ce 3.60" in FIGURES.fitted(120)


def test_unknown_speed_and_end_are_left_out():
    assert Figures("iter 1/60", {}).whole() == "iter 1/60"


@pytest.mark.parametrize(
    "value, text",
    [(0.1081, "0.108"), (5.732, "5.73"), (70.25, "70.2"), (2400.4, "2,400"), (float("nan"), "nan")],
)
def test_three_digits(value, text):
    assert short(value) == text
