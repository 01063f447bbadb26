"""Shapes of tiles: within the budget, and never empty."""

import pytest
import torch

from mmreid_ext.evaluation.retrieval.tiles import (
    ACCELERATOR_BUDGET,
    CPU_BUDGET,
    LARGEST_CPU_BUDGET,
    MAX_ROWS,
    default_budget,
    tile_shape,
)


@pytest.mark.parametrize("budget", [2**20, 2**26, 2**32])
@pytest.mark.parametrize("dim", [2, 128, 2048])
def test_the_pieces_fit_into_the_budget(budget, dim):
    shape = tile_shape(budget, dim)
    assert 4 * shape.rows * shape.cols <= budget / 2
    assert 8 * shape.rows * dim <= budget / 4 and 64 * shape.elements <= budget / 4
    assert shape.rows <= MAX_ROWS and shape.double_cols == shape.cols // 2
    assert shape.cols == 2048, "wide enough for a quick product, and mostly in the cache"
    wide = tile_shape(budget, dim, device=torch.device("cuda"))
    assert wide.cols >= 2**14 and 4 * wide.rows * wide.cols <= budget / 2
    assert 8 * wide.rows * dim <= budget / 4


def test_what_a_query_needs_besides_makes_fewer_rows():
    assert tile_shape(2**26, 128, row_bytes=2**20).rows == 16


def test_a_tiny_budget_is_slow_and_no_error():
    shape = tile_shape(1, 2048)
    assert (shape.rows, shape.cols, shape.elements, shape.double_cols) == (1, 1, 1, 1)
    for budget in (0, -5):
        with pytest.raises(ValueError, match=f"memory_budget={budget} must be a positive number"):
            tile_shape(budget, 8)


def test_the_default_follows_the_device_and_the_inputs():
    cpu = torch.device("cpu")
    assert default_budget(cpu) == default_budget(cpu, 6 * CPU_BUDGET) == CPU_BUDGET
    assert default_budget(cpu, 12 * CPU_BUDGET) == 2 * CPU_BUDGET
    assert default_budget(cpu, 60 * CPU_BUDGET) == LARGEST_CPU_BUDGET
    assert default_budget(torch.device("cuda"), 60 * CPU_BUDGET) == ACCELERATOR_BUDGET
