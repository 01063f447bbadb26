"""Compute float32 products in float32, whatever the caller has switched on."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import torch


@contextmanager
def full_precision(device: torch.device) -> Iterator[None]:
    """Switch off TF32, bfloat16 products, autocast and gradients inside the block.

    A training script that sets ``torch.set_float32_matmul_precision('medium')`` would otherwise
    rank with three decimal digits. The caller's settings are put back at the end.

    Args:
        device: Where the products are computed.
    """
    before = torch.get_float32_matmul_precision()
    torch.set_float32_matmul_precision("highest")
    try:
        with torch.no_grad(), torch.autocast(device.type, enabled=False):
            yield
    finally:
        torch.set_float32_matmul_precision(before)
