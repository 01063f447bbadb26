import numpy as np
from helpers.augments import draws, pictures

from mmreid_ext.augmentation.color_host import OPERATIONS
from mmreid_ext.augmentation.color_jitter import ColorJitter


def jitter(brightness=0.15, contrast=0.15, saturation=0.1, hue=0.1, **options):
    return ColorJitter(brightness, contrast, saturation, hue, **options)


def test_factors_are_uniform_in_the_ranges_of_the_reference():
    rows = draws(jitter(), 3000)
    ranges = [(0.85, 1.15), (0.85, 1.15), (0.9, 1.1), (-25, 25)]
    for operation, (low, high) in enumerate(ranges):
        values = rows[:, 4:][rows[:, :4] == operation]
        assert len(values) == 3000 and low <= values.min() and values.max() <= high
        deciles = np.quantile(values, np.linspace(0.1, 0.9, 9))
        expected = low + (high - low) * np.linspace(0.1, 0.9, 9)
        # 5 sigma of 3000 draws; steps of the hue are whole, cut towards zero
        assert np.abs(deciles - expected).max() < 0.05 * (high - low)
    steps = rows[:, 4:][rows[:, :4] == 3]
    assert np.array_equal(steps, np.trunc(steps))


def test_all_orders_come_equally_often():
    orders, counts = np.unique(draws(jitter(), 4800)[:, :4], axis=0, return_counts=True)
    assert len(orders) == 24 and np.abs(counts - 200).max() < 5 * np.sqrt(200)


def test_probability_and_amounts_of_zero():
    changed = (draws(jitter(prob=0.25), 2000)[:, :4] >= 0).any(1).sum()
    assert abs(changed - 500) < 5 * np.sqrt(2000 * 0.25 * 0.75)
    assert (draws(jitter(0, 0, 0, 0), 5)[:, :4] == -1).all()
    assert set(np.unique(draws(jitter(hue=0), 5)[:, :4])) == {-1, 0, 1, 2}


def test_the_changes_are_applied_in_order():
    (image,) = pictures(1)
    row = [3, -1, 0, 2, 25, 7, 1.15, 0.9]
    expected = image
    for operation, factor in [(3, 25), (0, 1.15), (2, 0.9)]:
        expected = OPERATIONS[operation](expected, factor, True)
    assert np.array_equal(jitter().change_image(image, row), expected)
