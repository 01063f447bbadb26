"""Global random states borrowed for some images and given back."""

from __future__ import annotations

import random
from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
import torch
from torch.utils.data import get_worker_info


@contextmanager
def borrowed_rng() -> Iterator[None]:
    """Restore the states of Python's, NumPy's and PyTorch's global CPU generators at the end.

    MMCV's and MMPretrain's transforms draw from these global generators, which :func:`seed_rng`
    sets. Worker processes of a data loader do nothing but load images, so there the states are not
    restored.
    """
    if get_worker_info() is not None:
        yield
        return
    python, numpy = random.getstate(), np.random.get_state()
    pytorch = torch.default_generator.get_state()
    try:
        yield
    finally:
        random.setstate(python)
        np.random.set_state(numpy)
        torch.default_generator.set_state(pytorch)


def seed_rng(seed: int) -> None:
    """Make all that the global CPU generators draw a function of ``seed``, in ``[0, 2**63)``."""
    random.seed(seed)
    np.random.seed((seed & 0xFFFFFFFF, seed >> 32))
    # PyTorch's CPU generator ignores the high 32 bits. `torch.manual_seed` would also queue a call
    # for the devices at every image, for ever where there is none.
    torch.default_generator.manual_seed((seed ^ (seed >> 32)) & 0xFFFFFFFF)


@contextmanager
def isolated_rng(seed: int) -> Iterator[None]:
    """Seed the global generators inside the block and restore their states afterwards."""
    with borrowed_rng():
        seed_rng(seed)
        yield
