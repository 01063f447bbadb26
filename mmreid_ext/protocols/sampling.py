"""Sample images at random, the same ones with every version of NumPy."""

from __future__ import annotations

import numpy as np

from mmreid_ext.errors import UserError
from mmreid_ext.setting_checks import is_whole

from .image_table import ImageColumns

MOST_REPEATS = 10_000
"""More is a slip, or a file that keeps a machine busy for days; papers take 10 or 100."""


def check_trials(owner: str, repeats: int, seed: int) -> None:
    """Check how many random trials a protocol averages, and from which seed.

    Raises:
        UserError: If ``repeats`` is no whole number from 1 to 10,000, or the seed can't be used.
    """
    if not is_whole(repeats, 1, MOST_REPEATS):
        raise UserError(
            f"{owner}: repeats={repeats!r} must be a whole number from 1 to {MOST_REPEATS:,}."
        )
    stable_generator(seed)


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
