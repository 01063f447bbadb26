"""The one heavy operation behind our normalisation layers: ``y = scale * (x - mean) + centre``.

``mean`` is that of the instance, all coefficients are per instance and channel. Batch norm,
instance norm and any mix of them are of that form, with coefficients that depend on ``x`` only
through its per-instance moments. :func:`instance_affine` therefore touches the big tensor in one
pass for the mean, one for the variance and one for the result; everything between is arithmetic on
(N, C) vectors that ordinary autograd differentiates. Only ``x`` is kept for the backward pass, as
batch norm does. Coefficients relative to the instance mean, instead of zero, keep the parameter
gradients exact for means far from zero: nothing of the size of the mean is added and subtracted
again.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from mmreid_ext.models.norms.planes import (
    combine,
    instance_moments,
    plane_sums,
    scale_shift,
    stats_dtype,
)

Coefficients = Callable[..., tuple[Tensor, Tensor]]


def plain_instance_affine(x: Tensor, coefficients: Coefficients, *params: Tensor) -> Tensor:
    """Same function in elementary operations, for export and for derivatives of any order."""
    wide = x.to(stats_dtype(x))
    mean = wide.mean((2, 3), keepdim=True)
    centred = wide - mean
    var = (centred * centred).mean((2, 3))
    scale, centre = coefficients(mean[:, :, 0, 0], var, *params)
    return (centred * scale[:, :, None, None] + centre[:, :, None, None]).to(x.dtype)


class _InstanceAffine(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x: Tensor, coefficients: Coefficients, *params: Tensor) -> Tensor:
        mean, var = instance_moments(x)
        with torch.enable_grad():
            moments = [t.requires_grad_(x.requires_grad) for t in (mean, var)]
            leaves = [p.detach().requires_grad_(p.requires_grad) for p in params]
            scale, centre = coefficients(*moments, *leaves)
        ctx.coefficients = coefficients
        ctx.small_graph = (moments, leaves, scale, centre)
        ctx.save_for_backward(x, *params)
        scale, centre = scale.detach(), centre.detach()
        return scale_shift(x, scale, centre - scale * mean.detach())

    @staticmethod
    def backward(ctx, grad: Tensor):
        x, *params = ctx.saved_tensors
        if torch.is_grad_enabled():  # create_graph=True: differentiated again
            return _plain_backward(ctx, grad, x, params)
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
        return (grad_x, None, *(by_id.get(id(leaf)) for leaf in leaves))


def _grad_input(x, grad, scale, mean, grad_mean, grad_var):
    """``scale * dy + slope * x + offset``: the direct path and both moments, by (N, C) vectors."""
    pixels = x.shape[2] * x.shape[3]
    slope = torch.zeros_like(mean) if grad_var is None else grad_var * (2.0 / pixels)
    slope = slope.to(x.dtype)  # before it enters the offset, so that their roundings cancel
    return combine(grad, scale, x, slope, grad_mean / pixels - slope * mean)


def _plain_backward(ctx, grad, x, params):
    """Gradients as differentiable functions of their inputs, by differentiating the plain form."""
    wanted = [t for t in (x, *params) if t.requires_grad]
    result = plain_instance_affine(x, ctx.coefficients, *params)
    grads = torch.autograd.grad(result, wanted, grad, create_graph=True, allow_unused=True)
    by_id = dict(zip(map(id, wanted), grads, strict=True))
    return by_id.get(id(x)), None, *(by_id.get(id(p)) for p in params)


def instance_affine(x: Tensor, coefficients: Coefficients, *params: Tensor) -> Tensor:
    """Apply ``scale * (x - mean) + centre`` with coefficients computed from the moments of ``x``.

    Args:
        x: Shape (N, C, H, W), any floating dtype, contiguous or channels-last.
        coefficients: Called as ``coefficients(mean, var, *params)`` with the (N, C) moments of
            every instance; returns ``scale`` and ``centre`` (the output at ``x = mean``), each of
            shape (N, C). It must be a function of its arguments alone (it is called again for
            second derivatives), made of differentiable operations; collectives are allowed.
        params: Tensors that gradients shall reach.

    Returns:
        Shape (N, C, H, W), dtype and memory format of ``x``.
    """
    if torch.jit.is_tracing() or torch.compiler.is_compiling() or torch.onnx.is_in_onnx_export():
        return plain_instance_affine(x, coefficients, *params)
    return _InstanceAffine.apply(x, coefficients, *params)
