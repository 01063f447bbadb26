"""Random numbers that are a function of a seed and a counter: no state, any number at once.

N is the number of seeds.
"""

from __future__ import annotations

import numpy as np

_GOLDEN_INTEGER, _MASK = 0x9E3779B97F4A7C15, 2**64 - 1
_GOLDEN = np.uint64(_GOLDEN_INTEGER)


def mix(z: np.ndarray) -> np.ndarray:
    """Scatter 64-bit integers: SplitMix64's finaliser, a bijection.

    Steele et al., "Fast splittable pseudorandom number generators", OOPSLA 2014,
    https://doi.org/10.1145/2660193.2660195.

    Args:
        z: uint64, any shape. An array, because the overflow of an array wraps silently.
    """
    z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return z ^ (z >> np.uint64(31))


def numbers_of(seeds: np.ndarray, counters: np.ndarray | int) -> np.ndarray:
    """Return the numbers of SplitMix64's streams at some places: ``mix(seed + golden * (c + 1))``.

    Args:
        seeds: Integers in ``[0, 2**64)``, any shape.
        counters: Places in the streams, ``>= 0``; broadcast against the seeds.

    Returns:
        uint64.
    """
    steps = (np.atleast_1d(counters).astype(np.uint64) + np.uint64(1)) * _GOLDEN
    return mix(np.asarray(seeds).astype(np.uint64) + steps)


def number_of(seed: int, counter: int) -> int:
    """Return one number of one stream: :func:`numbers_of`, ten times as fast for a single one."""
    z = (seed + (counter + 1) * _GOLDEN_INTEGER) & _MASK
    z = ((z ^ (z >> 30)) * 0xBF58476D1CE4E5B9) & _MASK
    z = ((z ^ (z >> 27)) * 0x94D049BB133111EB) & _MASK
    return z ^ (z >> 31)


def uniforms(keys: np.ndarray, count: int, first: int = 0) -> np.ndarray:
    """Draw numbers that are uniform in [0, 1).

    Args:
        keys: One per image, uint64 (N,).
        count: Numbers per image.
        first: Numbers of each stream that are passed over. Defaults to 0.

    Returns:
        float64 (N, count), multiples of 2**-53.
    """
    if len(keys) == 1:
        key = int(keys[0])
        single = [number_of(key, place) for place in range(first, first + count)]
        return np.array([[(number >> 11) * 2.0**-53 for number in single]])
    places = np.arange(first, first + count)
    return (numbers_of(keys[:, None], places) >> np.uint64(11)) * 2.0**-53


def integers(uniform: np.ndarray, bound: np.ndarray | int) -> np.ndarray:
    """Turn numbers that are uniform in [0, 1) into int64, uniform in ``[0, bound)``."""
    return (uniform * bound).astype(np.int64)
