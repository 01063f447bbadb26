"""An index that carries the seed of its own augmentation."""

from __future__ import annotations

import numpy as np

from mmreid_ext.augmentation.random_numbers import mix, numbers_of


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
    origin = mix(np.array([seed % 2**64], dtype=np.uint64))
    return (numbers_of(origin, positions) >> np.uint64(1)).astype(np.int64)
