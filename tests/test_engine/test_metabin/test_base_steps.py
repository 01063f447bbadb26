import pytest

from mmreid_ext.engine.metabin.base_steps import base_batches_before, base_batches_of


@pytest.mark.parametrize("first", [1, 2, 10])
def test_counts_equal_a_walk_over_all_iterations(first):
    taken = 0
    for iteration in range(20):
        assert base_batches_before(iteration, first) == taken
        assert base_batches_of(iteration, first) == (first if iteration == 0 else 1)
        taken += base_batches_of(iteration, first)
