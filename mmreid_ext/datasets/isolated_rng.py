"""Global random states borrowed for one image and given back."""

from __future__ import annotations

import random
from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
import torch


@contextmanager
def isolated_rng(seed: int) -> Iterator[None]:
    """Seed Python's, NumPy's and PyTorch's global CPU generators; restore their states at the end.

    MMCV's and MMPretrain's transforms draw from these global generators. Inside this context what
    they draw is a function of ``seed``; outside nothing has changed.

    Args:
        seed: Integer in ``[0, 2**63)``.
    """
    python, numpy = random.getstate(), np.random.get_state()
    pytorch = torch.default_generator.get_state()
    random.seed(seed)
    np.random.seed((seed & 0xFFFFFFFF, seed >> 32))
    # PyTorch's CPU generator ignores the high 32 bits. `torch.manual_seed` would also queue a call
    # for the devices at every image, for ever where there is none.
    torch.default_generator.manual_seed((seed ^ (seed >> 32)) & 0xFFFFFFFF)
    try:
        yield
    finally:
        random.setstate(python)
        np.random.set_state(numpy)
        torch.default_generator.set_state(pytorch)
