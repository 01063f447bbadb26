"""What an engine gives is checked; the tests of ``Embedder`` check what it is given."""

import numpy as np
import pytest
from helpers.exported_model import info

from mmreid_ext.deploy.input_check import check_inputs, unit_rows
from mmreid_ext.deploy.preprocessing import Preparation
from mmreid_ext.errors import UserError


def test_rows_become_unit_vectors():
    found = unit_rows(np.array([[3.0, 4.0], [0.0, 0.0]]), 2, 2)
    assert found.dtype == np.float32 and np.allclose(found, [[0.6, 0.8], [0, 0]])


@pytest.mark.parametrize("shape", [(2, 3), (1, 2), (2, 2, 1)])
def test_another_shape_is_told(shape):
    with pytest.raises(UserError, match=r"for 2 images, its record says \(2, 2\)"):
        unit_rows(np.ones(shape, np.float32), 2, 2)


@pytest.mark.parametrize("output", [[1, 2], np.array([["a", "b"]] * 2)])
def test_what_is_no_array_of_numbers_is_told(output):
    with pytest.raises(UserError, match=r"for 2 images, its record says \(2, 2\) of numbers"):
        unit_rows(output, 2, 2)


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_numbers_that_are_not_finite_are_told(value):
    with pytest.raises(UserError, match="aren't finite for input 1 of the batch"):
        unit_rows(np.array([[1, 0], [value, 0]], np.float32), 2, 2)


@pytest.mark.parametrize("kind, most", [("rgb01", 1), ("uint8", 255)])
def test_each_kind_has_its_range(kind, most):
    expected = Preparation(info(kind=kind).input)
    inputs = np.full((2, *expected.shape), most, expected.dtype)
    check_inputs(inputs, expected)
    if kind == "rgb01":
        with pytest.raises(UserError, match="between 255 and 255, those of pictures between 0 and"):
            check_inputs(inputs * 255, expected)
