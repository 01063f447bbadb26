import random

import numpy as np
import torch

from mmreid_ext.datasets.isolated_rng import isolated_rng


def draw() -> tuple:
    return random.random(), np.random.rand(), torch.rand(()).item()


def test_draws_are_a_function_of_the_seed():
    with isolated_rng(5):
        first = draw()
    draw()
    with isolated_rng(5):
        assert draw() == first
    with isolated_rng(6):
        other = draw()
    assert all(a != b for a, b in zip(first, other, strict=True))


def test_high_bits_of_the_seed_matter_for_every_generator():
    with isolated_rng(1):
        low = draw()
    with isolated_rng(1 + 2**40):
        high = draw()
    assert all(a != b for a, b in zip(low, high, strict=True))


def test_largest_seed_is_accepted():
    with isolated_rng(2**63 - 1):
        draw()


def test_global_state_is_left_as_it_was_even_after_an_error():
    random.seed(0), np.random.seed(0), torch.manual_seed(0)
    expected = draw(), draw()
    random.seed(0), np.random.seed(0), torch.manual_seed(0)
    first = draw()
    try:
        with isolated_rng(9):
            draw()
            raise RuntimeError
    except RuntimeError:
        pass
    assert (first, draw()) == expected


class Draws(torch.utils.data.Dataset):
    """Item ``i`` is what is drawn under seed ``i``."""

    def __len__(self):
        return 6

    def __getitem__(self, index):
        with isolated_rng(index):
            return torch.tensor(draw(), dtype=torch.float64)


def test_draws_in_worker_processes_are_the_same():
    """There the states are not restored; what is drawn is a function of the seed all the same."""
    alone = [Draws()[i] for i in range(6)]
    shared = list(torch.utils.data.DataLoader(Draws(), batch_size=None, num_workers=2))
    assert torch.equal(torch.stack(shared), torch.stack(alone))
