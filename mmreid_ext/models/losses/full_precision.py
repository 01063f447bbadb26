"""Compute losses in float32 at least, whatever the network runs in."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any, TypeVar, cast

import torch
from torch import Tensor

Forward = TypeVar("Forward", bound=Callable[..., Any])
Value = TypeVar("Value")


def widen(value: Value) -> Value | Tensor:
    """Return a half or bfloat16 tensor in float32, and anything else unchanged."""
    if isinstance(value, Tensor) and value.dtype in (torch.float16, torch.bfloat16):
        return value.float()
    return value


def in_full_precision(forward: Forward) -> Forward:
    """Decorate a ``forward``: autocast off, half and bfloat16 tensors widened to float32.

    Distances between embeddings cancel and thresholds lie close to 1, so 16 bits are not enough
    even where the network runs in them. Float64 stays float64. The signature stays visible to
    ``inspect``.
    """

    @functools.wraps(forward)
    def wrapper(self: object, *args: Any, **kwargs: Any) -> Any:
        tensors = (v for v in (*args, *kwargs.values()) if isinstance(v, Tensor))
        device_type = next((t.device.type for t in tensors), "cpu")
        with torch.autocast(device_type, enabled=False):
            widened = {name: widen(value) for name, value in kwargs.items()}
            return forward(self, *(widen(value) for value in args), **widened)

    return cast(Forward, wrapper)
