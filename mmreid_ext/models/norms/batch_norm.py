"""Normalise by batch statistics of all ranks, on any device."""

from __future__ import annotations

from functools import partial

import torch
from torch import Tensor
from torch.nn.modules.batchnorm import _BatchNorm

from mmreid_ext.distributed import is_distributed
from mmreid_ext.errors import UserError
from mmreid_ext.models.norms.kernels import stats_dtype
from mmreid_ext.registry import MODELS

from .batch_moments import BatchStatistics, combine_moments, update_running_stats
from .instance_affine import instance_affine


@MODELS.register_module(name=["SyncBN", "SyncBatchNorm"])
class SyncBatchNorm(_BatchNorm):
    """Batch norm over the global batch, for (N, C) features and (N, C, H, W) maps.

    On one rank it is ``torch.nn.BatchNorm1d`` / ``2d``. On several it computes what one rank with
    the whole batch would; PyTorch's own ``SyncBatchNorm`` refuses to run on CPU. The arguments are
    those of ``torch.nn.BatchNorm2d``.

    Raises:
        UserError: If an input has another shape.
    """

    # MMCV names layers after it; "bn" keeps checkpoint keys equal to those of batch norm.
    _abbr_ = "bn"

    # None without `track_running_stats`; then nobody reads them.
    running_mean: Tensor
    running_var: Tensor
    num_batches_tracked: Tensor

    def _check_input_dim(self, x: Tensor) -> None:
        if x.dim() not in (2, 4) or x.shape[1] != self.num_features:
            channels = self.num_features
            raise UserError(
                f"SyncBatchNorm: x has shape {tuple(x.shape)}, "
                f"but must be (N, {channels}) or (N, {channels}, H, W); "
                "set num_features to the channels of the layer before."
            )

    def forward(self, x: Tensor) -> Tensor:
        """Normalise ``x`` of shape (N, C) or (N, C, H, W)."""
        if not (self.training and is_distributed()):
            return super().forward(x)
        self._check_input_dim(x)
        maps = x if x.dim() == 4 else x[:, :, None, None]
        coefficients = partial(_coefficients, maps.shape[2] * maps.shape[3], self.eps)
        affine = [p.to(stats_dtype(x)) for p in (self.weight, self.bias) if p is not None]
        y, *statistics = instance_affine(maps, coefficients, *affine)
        if self.track_running_stats:
            update_running_stats(self, BatchStatistics(*statistics))
        return y if x.dim() == 4 else y[:, :, 0, 0]


def _coefficients(
    pixels: int, eps: float, mean: Tensor, var: Tensor, *affine: Tensor
) -> tuple[Tensor, ...]:
    """Return scale and centre (N, C) of batch norm, then the batch statistics."""
    batch = combine_moments(mean, var, pixels)
    scale = torch.rsqrt(batch.var + eps)
    if affine:
        scale = affine[0] * scale
    centre = scale * (mean - batch.mean)
    if affine:
        centre = centre + affine[1]
    return scale.expand_as(mean), centre, *batch
