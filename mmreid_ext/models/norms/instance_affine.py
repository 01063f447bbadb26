"""Apply ``y = scale * (x - mean) + centre``, the one heavy operation of our normalisation layers.

``mean`` is that of the instance, all coefficients are per instance and channel. Batch norm,
instance norm and any mix of them are of that form, with coefficients that depend on ``x`` only
through its per-instance moments. :func:`instance_affine` therefore reads the big tensor once for
the mean, once for the variance and once for the result. Everything between is arithmetic on (N, C)
vectors that ordinary autograd differentiates. Only ``x`` is kept for the backward pass, as batch
norm does. Coefficients relative to the instance mean, instead of zero, keep the parameter
gradients exact for means far from zero: nothing of the size of the mean is added and subtracted
again.

Shapes: x, y, grad (N, C, H, W); mean, var, scale, centre, slope (N, C); params (C,).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor

from mmreid_ext.compat.old_pytorch import is_compiling
from mmreid_ext.models.norms.kernels import (
    combine,
    instance_moments,
    plane_sums,
    scale_shift,
    stats_dtype,
)

# Called with mean, var and the parameters; returns scale, centre and whatever else it found.
Coefficients = Callable[..., tuple[Tensor, ...]]
Gradients = tuple[Tensor | None, ...]


def plain_instance_affine(
    x: Tensor, coefficients: Coefficients, *params: Tensor
) -> tuple[Tensor, ...]:
    """Compute :func:`instance_affine` in elementary operations.

    Export needs it, and so do derivatives of any order.
    """
    wide = x.to(stats_dtype(x))
    mean = wide.mean((2, 3), keepdim=True)
    centred = wide - mean
    var = (centred * centred).mean((2, 3))
    scale, centre, *found = coefficients(mean[:, :, 0, 0], var, *params)
    y = (centred * scale[:, :, None, None] + centre[:, :, None, None]).to(x.dtype)
    return y, *(t.detach() for t in found)


class _InstanceAffine(torch.autograd.Function):
    @staticmethod
    def forward(
        ctx: Any, x: Tensor, coefficients: Coefficients, *params: Tensor
    ) -> tuple[Tensor, ...]:
        mean, var = instance_moments(x)
        with torch.enable_grad():
            moments = [t.requires_grad_(x.requires_grad) for t in (mean, var)]
            leaves = [p.detach().requires_grad_(p.requires_grad) for p in params]
            scale, centre, *found = coefficients(*moments, *leaves)
        ctx.coefficients = coefficients
        ctx.small_graph = (moments, leaves, scale, centre)
        ctx.save_for_backward(x, *params)
        scale, centre = scale.detach(), centre.detach()
        found = [t.detach() for t in found]
        ctx.mark_non_differentiable(*found)
        ctx.set_materialize_grads(False)  # no zeros for what has no gradient
        return scale_shift(x, scale, centre - scale * mean.detach()), *found

    @staticmethod
    def backward(ctx: Any, grad: Tensor | None, *_: None) -> Gradients:
        x, *params = ctx.saved_tensors
        if grad is None:
            return (None,) * (2 + len(params))
        if torch.is_grad_enabled():  # create_graph=True: differentiated again
            return _plain_backward(ctx.coefficients, grad, x, params)
        moments, leaves, scale, centre = ctx.small_graph
        mean, scale_value = moments[0].detach(), scale.detach()
        grad_centre, grad_scale = plane_sums(x, grad, mean)
        inputs = [t for t in (*moments, *leaves) if t.requires_grad]
        pairs = ((scale, grad_scale), (centre, grad_centre))
        outputs, grads = zip(*((t, g) for t, g in pairs if t.requires_grad), strict=True)
        small = torch.autograd.grad(outputs, inputs, grads, retain_graph=True, allow_unused=True)
        by_id = dict(zip(map(id, inputs), small, strict=True))
        grad_x = None
        if ctx.needs_input_grad[0]:
            grad_mean, grad_var = (by_id[id(t)] for t in moments)
            grad_mean = -scale_value * grad_centre + (0 if grad_mean is None else grad_mean)
            grad_x = _grad_input(x, grad, scale_value, mean, grad_mean, grad_var)
        return grad_x, None, *(by_id.get(id(leaf)) for leaf in leaves)


def _grad_input(
    x: Tensor, grad: Tensor, scale: Tensor, mean: Tensor, grad_mean: Tensor, grad_var: Tensor | None
) -> Tensor:
    """Return ``scale * dy + slope * x + offset``: the direct path, and the paths by both moments.

    By d mean / d x = 1 / pixels and d var / d x = 2 (x - mean) / pixels.
    """
    pixels = x.shape[2] * x.shape[3]
    slope = torch.zeros_like(mean) if grad_var is None else grad_var * (2.0 / pixels)
    slope = slope.to(x.dtype)  # before it enters the offset, so that their roundings cancel
    return combine(grad, scale, x, slope, grad_mean / pixels - slope * mean)


def _plain_backward(
    coefficients: Coefficients, grad: Tensor, x: Tensor, params: Sequence[Tensor]
) -> Gradients:
    """Differentiate the plain form: the gradients are then differentiable themselves."""
    wanted = [t for t in (x, *params) if t.requires_grad]
    result, *_ = plain_instance_affine(x, coefficients, *params)
    grads = torch.autograd.grad(result, wanted, grad, create_graph=True, allow_unused=True)
    by_id = dict(zip(map(id, wanted), grads, strict=True))
    return by_id.get(id(x)), None, *(by_id.get(id(p)) for p in params)


def instance_affine(x: Tensor, coefficients: Coefficients, *params: Tensor) -> tuple[Tensor, ...]:
    """Apply ``scale * (x - mean) + centre`` with coefficients computed from the moments of ``x``.

    Args:
        x: Shape (N, C, H, W), any floating dtype, contiguous or channels-last.
        coefficients: Called as ``coefficients(mean, var, *params)`` with the (N, C) moments of
            every instance. Returns ``scale`` and ``centre`` (the output at ``x = mean``), each of
            shape (N, C), then any number of other tensors. It must be a function of its arguments
            alone (it is called again for second derivatives), made of differentiable operations;
            collectives are allowed.
        params: Tensors that gradients shall reach.

    Returns:
        The result, of the shape, dtype and memory format of ``x``, then the other tensors of
        ``coefficients``, detached.
    """
    if torch.jit.is_tracing() or is_compiling() or torch.onnx.is_in_onnx_export():
        return plain_instance_affine(x, coefficients, *params)
    return _InstanceAffine.apply(x, coefficients, *params)
