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

from .together import BatchStep, normalize_by_batch


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
        y = normalize_by_batch(self, x)
        return y if x.dim() == 4 else y[:, :, 0, 0]

    def batch_step(self, x: Tensor) -> BatchStep:
        """Return what to do with ``x`` and the statistics of its batch.

        Raises:
            UserError: As :meth:`forward`.
        """
        self._check_input_dim(x)
        maps = x if x.dim() == 4 else x[:, :, None, None]
        affine = [p.to(stats_dtype(x)) for p in (self.weight, self.bias) if p is not None]
        return BatchStep(maps, partial(_mix, self.eps), affine)

    def normalize_rows_of_all_ranks(self, rows: Tensor) -> Tensor:
        """Normalise, in training, rows (W * N, C) that were gathered before: no message is sent."""
        return super().forward(rows)


def _mix(
    eps: float, batch_mean: Tensor, batch_var: Tensor, mean: Tensor, var: Tensor, *affine: Tensor
) -> tuple[Tensor, Tensor]:
    """Return scale and centre (N, C) of batch norm."""
    scale = torch.rsqrt(batch_var + eps)
    if affine:
        scale = affine[0] * scale
    centre = scale * (mean - batch_mean)
    if affine:
        centre = centre + affine[1]
    return scale.expand_as(mean), centre
