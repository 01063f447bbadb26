"""Numbers that a user has set: whole or real, and no truth values."""

from fractions import Fraction

import numpy as np
import pytest

from mmreid_ext.setting_checks import is_finite, is_number, is_whole


@pytest.mark.parametrize("value", [1, 5, np.int64(3), np.uint8(1)])
def test_whole_numbers_of_the_range(value):
    assert is_whole(value, 1, 5)


@pytest.mark.parametrize("value", [0, 6, 3.0, True, "3", None, np.float64(3), np.bool_(True), [3]])
def test_no_whole_numbers_of_the_range(value):
    assert not is_whole(value, 1, 5)


def test_without_an_upper_end():
    assert is_whole(10**30, 1) and not is_whole(0, 1)


@pytest.mark.parametrize("value", [1, -0.5, np.float32(2), np.int64(3), Fraction(1, 3)])
def test_real_numbers(value):
    assert is_number(value)


@pytest.mark.parametrize("value", [True, False, np.bool_(True), "1", None, 1j, [1.0]])
def test_no_real_numbers(value):
    assert not is_number(value)


def test_numbers_that_a_float_holds():
    assert all(map(is_finite, (0, -3, 1.5, np.float32(2), 10**308)))
    assert not any(map(is_finite, (float("inf"), float("nan"), 10**400, -(10**400), True, "1")))
