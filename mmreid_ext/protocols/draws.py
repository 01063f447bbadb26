"""Random draws of protocols, the same with every version of NumPy."""

from __future__ import annotations

import numpy as np

from mmreid_ext.errors import UserError
from mmreid_ext.setting_checks import is_whole

from .image_table import ImageColumns


def stable_generator(seed: int) -> np.random.RandomState:
    """A generator that draws the same with every version of NumPy.

    NumPy promises the stream of the frozen ``RandomState`` (NEP 19), not that of ``default_rng``.

    Raises:
        ValueError: If the seed isn't a whole number within [0, 2^32).
    """
    if not is_whole(seed, 0, 2**32 - 1):
        raise UserError(f"seed={seed!r} must be a whole number within [0, 2^32).")
    return np.random.RandomState(seed)


def one_per_identity(
    rows: np.ndarray, images: ImageColumns, generator: np.random.RandomState
) -> np.ndarray:
    """Draw one of ``rows`` for every identity, uniformly; ascending by identity.

    Distractors follow, all of them: they share numbers, not identities.
    """
    lone = images.distractors[rows]
    shuffled = generator.permutation(rows[~lone])
    _, first = np.unique(images.pids[shuffled], return_index=True)
    return np.concatenate([shuffled[first], rows[lone]])
