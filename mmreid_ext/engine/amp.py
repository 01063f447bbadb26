"""Mixed precision where MMEngine's ``AmpOptimWrapper`` refuses to run: on the CPU."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch
from mmengine.optim import OptimWrapper
from torch import nn

from mmreid_ext.registry import OPTIM_WRAPPERS


@OPTIM_WRAPPERS.register_module()
class BFloat16OptimWrapper(OptimWrapper):
    """Forward passes under bfloat16 autocast, weights and gradients in float32, no loss scaling.

    bfloat16 has the range of float32, so nothing needs scaling; it pays on CPUs with AVX512-BF16 or
    AMX.

    Args:
        device_type: ``'cpu'`` (default) or ``'cuda'``.
        kwargs: Those of :class:`mmengine.optim.OptimWrapper`.
    """

    def __init__(self, device_type: str = "cpu", **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.device_type = device_type

    @contextmanager
    def optim_context(self, model: nn.Module) -> Iterator[None]:
        """Context of a forward pass."""
        with super().optim_context(model), torch.autocast(self.device_type, torch.bfloat16):
            yield
