"""Sample images at random, the same ones with every version of NumPy."""

from __future__ import annotations

import numpy as np

from mmreid_ext.errors import UserError
from mmreid_ext.setting_checks import is_whole

from .image_table import ImageColumns


def stable_generator(seed: int) -> np.random.RandomState:
    """Make a generator whose stream is the same with every version of NumPy.

    NumPy promises the stream of the frozen ``RandomState`` (NEP 19), not that of ``default_rng``.

    Args:
        seed: A whole number within [0, 2^32).

    Raises:
        ValueError: If the seed isn't a whole number within [0, 2^32).
    """
    if not is_whole(seed, 0, 2**32 - 1):
        raise UserError(f"seed={seed!r} must be a whole number within [0, 2^32).")
    return np.random.RandomState(seed)


def one_per_identity(
    rows: np.ndarray, images: ImageColumns, generator: np.random.RandomState
) -> np.ndarray:
    """Sample one image of every identity uniformly, and keep all distractors.

    Distractors share numbers, not identities.

    Args:
        rows: Rows of the images to choose from, shape (n,).
        images: The table.
        generator: See :func:`stable_generator`; its state moves on.

    Returns:
        Rows: the sampled images in ascending order of identity, then the distractors.
    """
    lone = images.distractors[rows]
    shuffled = generator.permutation(rows[~lone])
    _, first = np.unique(images.pids[shuffled], return_index=True)
    return np.concatenate([shuffled[first], rows[lone]])
