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

Coefficients = Callable[..., tuple[Tensor, Tensor]]


def stats_dtype(x: Tensor) -> torch.dtype:
    """Precision of statistics: float32 for half precision, else that of ``x``."""
    return torch.float32 if x.dtype in (torch.float16, torch.bfloat16) else x.dtype


def _as_planes(x: Tensor) -> Tensor:
    """View contiguous (N, C, H, W) as one image with N * C channels, for the batch-norm kernels."""
    return x.view(1, -1, *x.shape[2:])


def _can_view_planes(x: Tensor) -> bool:
    # On CPU the generic reductions are several times slower than the batch-norm kernels, which
    # want planes.
    # They divide by the number of values, so an empty batch would end the process.
    return x.device.type == "cpu" and x.is_contiguous() and x.numel() > 0


def _plane_sums(x: Tensor, grad: Tensor, mean: Tensor) -> tuple[Tensor, Tensor]:
    """Per-plane sums of ``grad`` and of ``grad * (x - mean)``, both (N, C), in one pass on CPU."""
    dtype = stats_dtype(x)
    if not (_can_view_planes(x) and _can_view_planes(grad)):
        grad = grad.to(dtype)
        centred = x.to(dtype) - mean[:, :, None, None]
        return grad.sum((2, 3)), (grad * centred).sum((2, 3))
    # The parameter gradients of an evaluation-mode batch norm of unit variance are these sums.
    ones = torch.ones(mean.numel(), dtype=dtype)
    only_params = [False, True, True]
    _, centred_sum, plain_sum = torch.ops.aten.native_batch_norm_backward(
        _as_planes(grad),
        _as_planes(x),
        ones,
        mean.reshape(-1),
        ones,
        None,
        None,
        False,
        0.0,
        only_params,
    )
    return plain_sum.view_as(mean), centred_sum.view_as(mean)


def instance_moments(x: Tensor) -> tuple[Tensor, Tensor]:
    """Mean and biased variance over the pixels of every image and channel, by two passes.

    Args:
        x: Shape (N, C, H, W).

    Returns:
        Mean and variance, each (N, C), in float32 for half-precision input.
    """
    dtype = stats_dtype(x)
    if not _can_view_planes(x):
        var, mean = torch.var_mean(x.to(dtype), dim=(2, 3), correction=0)
        return mean, var
    if x.dtype != dtype:
        # Half precision: the kernel of batch statistics is ten times faster than the sums below,
        # in float32 it is four times slower.
        running = torch.zeros(2, x.shape[0] * x.shape[1])
        stats = torch.ops.aten.batch_norm_update_stats(_as_planes(x), *running, 0.0)
        mean, var = (t.view(x.shape[:2]) for t in stats)
        return mean, var
    pixels = x.shape[2] * x.shape[3]
    mean = x.sum((2, 3), dtype=dtype) / pixels
    # sum x (x - mean) = sum (x - mean)^2 + mean * sum (x - mean)
    residual, centred_sum = _plane_sums(x, x, mean)
    residual = residual - pixels * mean
    var = ((centred_sum - residual * mean) / pixels).clamp_(min=0)
    return _replace_cancelled(x, mean, var)


def _replace_cancelled(x: Tensor, mean: Tensor, var: Tensor) -> tuple[Tensor, Tensor]:
    """Recompute, slowly and exactly, the moments of the few planes whose mean dwarfs their spread.

    There the differences above cancel: their relative error is about ``eps * mean^2 / var``.
    """
    cancelled = (mean.square() > 16 * var).flatten()
    if not cancelled.any():
        return mean, var
    planes = x.flatten(2).flatten(0, 1)[cancelled].to(mean.dtype)
    exact_var, exact_mean = torch.var_mean(planes, dim=1, correction=0)
    mean.view(-1)[cancelled] = exact_mean
    var.view(-1)[cancelled] = exact_var
    return mean, var


def scale_shift(x: Tensor, scale: Tensor, shift: Tensor) -> Tensor:
    """Return ``scale * (x, per plane) + shift`` in the precision of ``x``.

    Args:
        x: Shape (N, C, H, W).
        scale: Shape (N, C), in the precision of statistics; ``shift`` likewise.
        shift: Added.
    """
    if _can_view_planes(x):
        flat = scale.reshape(-1)
        zeros, ones = torch.zeros_like(flat), torch.ones_like(flat)
        planes = torch.batch_norm(
            _as_planes(x), flat, shift.reshape(-1), zeros, ones, False, 0.0, 0.0, False
        )
        # Not a view: an activation that follows may work in place, which autograd forbids on views.
        return torch.ops.aten._unsafe_view(planes, x.shape)
    result = torch.addcmul(shift[:, :, None, None], x, scale[:, :, None, None])
    return result.to(x.dtype)


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
        grad = grad.contiguous() if _can_view_planes(x) else grad
        grad_centre, grad_scale = _plane_sums(x, grad, mean)
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
    # A float32 factor would promote the half-precision sum to a second big float32 tensor.
    slope = slope.to(x.dtype)
    direct = scale_shift(grad, scale, grad_mean / pixels - slope * mean)
    return direct.addcmul_(x, slope[:, :, None, None])


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
