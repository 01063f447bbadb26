"""Batch norm whose statistics are those of all ranks, on any device."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn.modules.batchnorm import _BatchNorm

from mmreid_ext.distributed import is_distributed
from mmreid_ext.errors import UserError
from mmreid_ext.models.norms.batch_moments import combine_moments, update_running_stats
from mmreid_ext.models.norms.instance_affine import instance_affine
from mmreid_ext.models.norms.planes import stats_dtype
from mmreid_ext.registry import MODELS


@MODELS.register_module(name=["SyncBN", "SyncBatchNorm"])
class SyncBatchNorm(_BatchNorm):
    """Batch norm over the global batch, for (N, C) features and (N, C, H, W) maps.

    On one rank it is ``torch.nn.BatchNorm1d`` / ``2d``. On several it computes what one rank with
    the whole batch would; PyTorch's own ``SyncBatchNorm`` refuses to run on CPU. The arguments are
    those of ``torch.nn.BatchNorm2d``.
    """

    _abbr_ = "bn"

    def _check_input_dim(self, x: Tensor) -> None:
        if x.dim() not in (2, 4) or x.shape[1] != self.num_features:
            raise UserError(
                f"SyncBatchNorm expects (N, {self.num_features}) or "
                f"(N, {self.num_features}, H, W), got {tuple(x.shape)}."
            )

    def forward(self, x: Tensor) -> Tensor:
        """Normalise ``x`` of shape (N, C) or (N, C, H, W)."""
        if not (self.training and is_distributed()):
            return super().forward(x)
        self._check_input_dim(x)
        maps = x if x.dim() == 4 else x[:, :, None, None]
        pixels = maps.shape[2] * maps.shape[3]
        batch_moments = []

        def coefficients(mean: Tensor, var: Tensor, *affine: Tensor) -> tuple[Tensor, Tensor]:
            batch_mean, batch_var, count = combine_moments(mean, var, pixels)
            batch_moments[:] = [t.detach() for t in (batch_mean, batch_var, count)]
            scale = torch.rsqrt(batch_var + self.eps)
            if affine:
                scale = affine[0] * scale
            centre = scale * (mean - batch_mean)
            return scale.expand_as(mean), centre + affine[1] if affine else centre

        affine = [p.to(stats_dtype(x)) for p in (self.weight, self.bias) if p is not None]
        y = instance_affine(maps, coefficients, *affine)
        if self.track_running_stats:
            update_running_stats(self, *batch_moments)
        return y if x.dim() == 4 else y[:, :, 0, 0]
