"""An index that carries the seed of its own augmentation."""

from __future__ import annotations

import numpy as np

_GOLDEN = np.uint64(0x9E3779B97F4A7C15)


class Draw(int):
    """A dataset index drawn by a sampler, with the random seed that belongs to this one draw.

    It is an ordinary ``int`` to everybody but the dataset, which may run its transforms under
    :attr:`seed`. The picture then depends on what was drawn and on nothing else: not on the number
    of workers or ranks, nor on how often the run was interrupted.

    Args:
        index: Index of the image in the dataset.
        seed: Integer in ``[0, 2**63)``, a function of (sampler seed, global position of the draw).
    """

    seed: int

    def __new__(cls, index: int, seed: int) -> Draw:
        """Make the integer ``index`` and attach ``seed``."""
        draw = super().__new__(cls, index)
        draw.seed = seed
        return draw

    def __reduce__(self) -> tuple:
        return Draw, (int(self), self.seed)

    def __repr__(self) -> str:
        return f"Draw({int(self)}, seed={self.seed})"


def _mix(z: np.ndarray) -> np.ndarray:
    """SplitMix64's finaliser: a bijection of 64-bit integers that scatters neighbours."""
    z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return z ^ (z >> np.uint64(31))


def draw_seeds(seed: int, positions: np.ndarray) -> np.ndarray:
    """Seeds of the draws at some positions of a sampler's stream.

    ``seed_p = mix(mix(seed) + golden * (p + 1)) >> 1`` with SplitMix64's ``mix`` (Steele et al.,
    "Fast splittable pseudorandom number generators", OOPSLA 2014,
    https://doi.org/10.1145/2660193.2660195).

    Args:
        seed: Seed of the sampler, ``>= 0``.
        positions: Global positions in the stream, any shape, ``>= 0``.

    Returns:
        int64 array of the same shape, values in ``[0, 2**63)``.
    """
    # An array of one number, because the overflow of an array wraps silently.
    origin = _mix(np.array([seed % 2**64], dtype=np.uint64))
    steps = (np.asarray(positions, dtype=np.uint64) + np.uint64(1)) * _GOLDEN
    return (_mix(origin + steps) >> np.uint64(1)).astype(np.int64)
