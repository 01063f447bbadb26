"""Find under their old names what the oldest supported releases of PyTorch call otherwise."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import nn
from torch.utils.hooks import RemovableHandle

from mmreid_ext.version import torch_is_at_least

BY_TRACING: dict[str, Any] = {"dynamo": False} if torch_is_at_least(2, 5) else {}
"""Argument of ``torch.onnx.export`` for its older exporter; before 2.5 there was no other."""


def compiling_of(torch_module: Any) -> Callable[[], bool]:
    """Find the function of a PyTorch that says whether ``torch.compile`` is reading the code.

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


def call_before_loading(module: nn.Module, hook: Callable[..., None]) -> RemovableHandle:
    """Let a module call a hook before weights are loaded, the module as its first argument.

    ``register_load_state_dict_pre_hook`` came with 2.5; before, it had an underscore.
    """
    public = getattr(module, "register_load_state_dict_pre_hook", None)
    if public is not None:
        return public(hook)
    return module._register_load_state_dict_pre_hook(hook, with_module=True)
