"""Say whether ``torch.compile`` is reading the code, on every supported PyTorch."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch


def compiling_of(torch_module: Any) -> Callable[[], bool]:
    """Find the function of a PyTorch that says so.

    ``torch.compile`` knows the function itself and takes it for a constant, so it must be called
    as it is, not through another one.

    Args:
        torch_module: ``torch``. Before 2.3 its ``torch.compiler`` has no such function; there,
            ``torch._utils`` has it.
    """
    public = getattr(torch_module.compiler, "is_compiling", None)
    return torch_module._utils.is_compiling if public is None else public


is_compiling = compiling_of(torch)
"""Whether ``torch.compile`` is reading the code."""
