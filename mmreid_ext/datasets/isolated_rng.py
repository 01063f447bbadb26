"""Global random states borrowed for one image and given back."""

from __future__ import annotations

import random
from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
import torch
from torch.utils.data import get_worker_info


@contextmanager
def isolated_rng(seed: int) -> Iterator[None]:
    """Seed Python's, NumPy's and PyTorch's global CPU generators; restore their states at the end.

    MMCV's and MMPretrain's transforms draw from these global generators. Inside this context what
    they draw is a function of ``seed``; outside nothing has changed. Worker processes of a data
    loader do nothing but load images, so there the states are not restored, which would cost as
    much as decoding a small image.

    Args:
        seed: Integer in ``[0, 2**63)``.
    """
    if get_worker_info() is not None:
        _seed_all(seed)
        yield
        return
    python, numpy = random.getstate(), np.random.get_state()
    pytorch = torch.default_generator.get_state()
    _seed_all(seed)
    try:
        yield
    finally:
        random.setstate(python)
        np.random.set_state(numpy)
        torch.default_generator.set_state(pytorch)


def _seed_all(seed: int) -> None:
    random.seed(seed)
    np.random.seed((seed & 0xFFFFFFFF, seed >> 32))
    # PyTorch's CPU generator ignores the high 32 bits. `torch.manual_seed` would also queue a call
    # for the devices at every image, for ever where there is none.
    torch.default_generator.manual_seed((seed ^ (seed >> 32)) & 0xFFFFFFFF)
