"""Indices that carry a seed."""

import copy
import pickle

import numpy as np
import pytest

from mmreid_ext.datasets.samplers import Draw, draw_seeds


def test_draw_is_an_integer_that_keeps_its_seed():
    draw = Draw(7, seed=2**63 - 1)
    assert draw == 7 and list(range(9))[draw] == 7
    assert hash(draw) == hash(7) and isinstance(draw, int)
    for protocol in range(pickle.HIGHEST_PROTOCOL + 1):
        copied = pickle.loads(pickle.dumps(draw, protocol))
        assert type(copied) is Draw and copied == 7 and copied.seed == 2**63 - 1
    assert copy.deepcopy(draw).seed == draw.seed


def slow_draw_seed(seed, position):
    """SplitMix64 in Python integers."""
    mask = 2**64 - 1

    def mix(z):
        z = ((z ^ (z >> 30)) * 0xBF58476D1CE4E5B9) & mask
        z = ((z ^ (z >> 27)) * 0x94D049BB133111EB) & mask
        return z ^ (z >> 31)

    return mix((mix(seed & mask) + (position + 1) * 0x9E3779B97F4A7C15) & mask) >> 1


@pytest.mark.parametrize("seed", [0, 1, 2**31 - 1, 2**63 + 5])
def test_draw_seeds_against_python_integers(seed):
    positions = np.array([0, 1, 2, 95, 10**6, 2**40])
    assert draw_seeds(seed, positions).tolist() == [slow_draw_seed(seed, int(p)) for p in positions]
    many = draw_seeds(seed, np.arange(100_000))
    assert many.min() >= 0 and len(np.unique(many)) == 100_000
    bits = (many[:, None] >> np.arange(63)) & 1
    assert abs(bits.mean(0) - 0.5).max() < 0.01  # standard error 0.0016


def test_first_output_of_splitmix64_is_the_published_one():
    assert slow_draw_seed(0, 0) == 0xE220A8397B1DCDAF >> 1  # mix(0) = 0, so plain SplitMix64(0)
