"""Mix batch norm and instance norm, by a balance that MetaBIN learns."""

from __future__ import annotations

from functools import partial
from typing import Any

import torch
from torch import Tensor, nn

from mmreid_ext.compat import tracing_paused
from mmreid_ext.errors import UserError
from mmreid_ext.models.norms.kernels import stats_dtype
from mmreid_ext.registry import MODELS

from .instance_affine import instance_affine
from .together import BatchStep, normalize_by_batch


@MODELS.register_module(name=["BIN", "BatchInstanceNorm2d"])
class BatchInstanceNorm2d(nn.Module):
    r"""Learned mix of batch norm and instance norm, one balance per channel.

    .. math:: y = \rho \, BN(x) + (1 - \rho) \, IN(x)

    Each half has its own affine parameters. The batch-norm half keeps the names of
    ``nn.BatchNorm2d`` (``weight, bias, running_mean, running_var, num_batches_tracked``), so
    batch-norm checkpoints load into it; new are ``in_weight`` (1), ``in_bias`` (0) and ``gate``
    (:math:`\rho`, 1: pure batch norm). The layer doesn't clip the gate: whoever trains it
    keeps it within [0, 1], as :class:`mmreid_ext.engine.MetaBINTrainLoop` does.

    Batch statistics are those of all ranks (in training mode, without any wrapper); instance
    statistics are always those of the image. Three modes:

    * training: batch statistics, running averages updated;
    * training inside :func:`hold_running_stats`: batch statistics, running averages untouched;
    * evaluation: running averages.

    It is deliberately no subclass of PyTorch's ``_BatchNorm``: ``convert_sync_batchnorm`` would
    replace it.

    Args:
        num_features: Channels C.
        eps: Added to both variances. Defaults to 1e-5.
        momentum: Weight of the newest batch in the running averages; None: cumulative average.
            Defaults to 0.1.
        copy_affine: Whether the instance-norm half takes over ``weight`` and ``bias`` when weights
            of a plain batch norm are loaded. A trained batch norm scales most maps by far less
            than 1, so beside it an instance norm of scale 1 would dominate at gates near 1. False
            keeps 1 and 0 (official code). Defaults to False.

    Example:
        >>> layer = BatchInstanceNorm2d(64)
        >>> layer(torch.rand(8, 64, 32, 16)).shape
        torch.Size([8, 64, 32, 16])

    As a layer of any MMPretrain backbone: ``norm_cfg=dict(type='mmreid_ext.BIN')``.

    Nam and Kim, "Batch-Instance Normalization for Adaptively Style-Invariant Neural Networks",
    NeurIPS 2018, https://arxiv.org/abs/1805.07925; with separate affine parameters as in Choi et
    al., "Meta Batch-Instance Normalization for Generalizable Person Re-Identification", CVPR 2021,
    https://arxiv.org/abs/2011.14670.
    """

    # MMCV names layers after it; "bn" keeps checkpoint keys equal to those of batch norm.
    _abbr_ = "bn"

    running_mean: Tensor
    running_var: Tensor
    num_batches_tracked: Tensor

    def __init__(
        self,
        num_features: int,
        eps: float = 1e-5,
        momentum: float | None = 0.1,
        copy_affine: bool = False,
    ) -> None:
        super().__init__()
        self.num_features = num_features
        self.eps = eps
        self.momentum = momentum
        self.copy_affine = copy_affine
        self.track_running_stats = True
        self.weight = nn.Parameter(torch.ones(num_features))
        self.bias = nn.Parameter(torch.zeros(num_features))
        self.in_weight = nn.Parameter(torch.ones(num_features))
        self.in_bias = nn.Parameter(torch.zeros(num_features))
        self.gate = nn.Parameter(torch.ones(num_features))
        # The meta loop evaluates the network at a gate that is not (yet) the parameter.
        self.stepped_gate: Tensor | None = None
        self.register_buffer("running_mean", torch.zeros(num_features))
        self.register_buffer("running_var", torch.ones(num_features))
        self.register_buffer("num_batches_tracked", torch.tensor(0, dtype=torch.long))

    def forward(self, x: Tensor) -> Tensor:
        """Normalise ``x`` of shape (N, C, H, W).

        Raises:
            ValueError: If ``x`` has another shape, no image while training, or maps of a single
                pixel, whose variance doesn't exist.
        """
        if self.training:
            return normalize_by_batch(self, x)
        self._check_input(x)
        if torch.onnx.is_in_onnx_export():
            return self._for_onnx(x)
        dtype = stats_dtype(x)
        running = self.running_mean.to(dtype), self.running_var.to(dtype)
        (y,) = instance_affine(x, partial(_mix, self.eps, *running), *self._affine(dtype))
        return y

    def batch_step(self, x: Tensor) -> BatchStep:
        """Return what to do with ``x`` of shape (N, C, H, W) and the statistics of its batch.

        Raises:
            ValueError: As :meth:`forward`.
        """
        self._check_input(x)
        return BatchStep(x, partial(_mix, self.eps), self._affine(stats_dtype(x)))

    def _affine(self, dtype: torch.dtype) -> list[Tensor]:
        gate = self.gate if self.stepped_gate is None else self.stepped_gate
        params = (gate, self.weight, self.bias, self.in_weight, self.in_bias)
        return [p.to(dtype) for p in params]

    def _for_onnx(self, x: Tensor) -> Tensor:
        """Evaluate with all that depends on weights alone computed now, outside of the trace.

        The exporter would fold those expressions to constants and merge equal ones. In an untrained
        network nearly all are equal, and ONNX Runtime could not load the merged graph.
        """
        with tracing_paused(), torch.no_grad():
            batch_scale = self.gate * self.weight * torch.rsqrt(self.running_var + self.eps)
            instance_scale = (1 - self.gate) * self.in_weight
            shift = self.gate * self.bias + (1 - self.gate) * self.in_bias
            constants = [
                c.detach().to(x.dtype).clone()[:, None, None]
                for c in (batch_scale, instance_scale, shift, self.running_mean)
            ]
        batch_scale, instance_scale, shift, batch_mean = constants
        mean = x.mean((2, 3), keepdim=True)
        centred = x - mean
        var = (centred * centred).mean((2, 3), keepdim=True)
        scale = batch_scale + instance_scale * torch.rsqrt(var + self.eps)
        return centred * scale + (shift + batch_scale * (mean - batch_mean))

    def _load_from_state_dict(self, state_dict: dict, prefix: str, *args: Any) -> None:
        for name in ("weight", "bias") if self.copy_affine else ():
            own, other = f"{prefix}in_{name}", f"{prefix}{name}"
            if own not in state_dict and other in state_dict:
                state_dict[own] = state_dict[other].clone()
        super()._load_from_state_dict(state_dict, prefix, *args)

    def _check_input(self, x: Tensor) -> None:
        if x.dim() != 4 or x.shape[1] != self.num_features:
            raise UserError(
                f"BatchInstanceNorm2d: x has shape {tuple(x.shape)}, "
                f"but must be (N, {self.num_features}, H, W); "
                "set num_features to the channels of the layer before."
            )
        if x.shape[2] * x.shape[3] == 1:
            raise UserError(
                f"BatchInstanceNorm2d: x has maps of one pixel, {tuple(x.shape)}, "
                "an instance variance needs at least two; "
                "use larger images, a smaller stride, or plain batch norm in this layer."
            )
        if self.training and x.numel() == 0:
            raise UserError(
                f"BatchInstanceNorm2d: x has no values, {tuple(x.shape)}, "
                "and a training batch needs statistics; give at least one image."
            )

    def extra_repr(self) -> str:
        """Show the constructor's arguments."""
        return f"{self.num_features}, eps={self.eps}, momentum={self.momentum}"


def _mix(
    eps: float,
    batch_mean: Tensor,
    batch_var: Tensor,
    mean: Tensor,
    var: Tensor,
    gate: Tensor,
    weight: Tensor,
    bias: Tensor,
    in_weight: Tensor,
    in_bias: Tensor,
) -> tuple[Tensor, Tensor]:
    """Return scale and centre (N, C) of both branches, weighted by the gate.

    Instance moments are (N, C), everything else is (C,).
    """
    batch_scale = weight * torch.rsqrt(batch_var + eps)  # (C,)
    instance_scale = in_weight * torch.rsqrt(var + eps)  # (N, C)
    scale = gate * batch_scale + (1 - gate) * instance_scale
    batch_centre = bias + batch_scale * (mean - batch_mean)
    return scale, gate * batch_centre + (1 - gate) * in_bias
