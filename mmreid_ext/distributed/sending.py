"""Copy from the host to a device without waiting for it."""

from __future__ import annotations

import torch
from torch import Tensor


def sent_to(device: torch.device, host: Tensor) -> Tensor:
    """Copy a tensor of the host to a device; the host does not wait for work queued there.

    Args:
        device: Where to. Only CUDA needs pinned memory for it, and only MPS may read too late.
        host: Any shape; the caller doesn't change it afterwards.
    """
    if device.type in ("cpu", "mps"):
        return host.to(device)
    host = host.pin_memory() if device.type == "cuda" else host
    return host.to(device, non_blocking=True)
