"""Apply ``y = scale * (x - mean) + centre``, the one heavy operation of our normalisation layers.

``mean`` is that of the instance, all coefficients are per instance and channel. Batch norm,
instance norm and any mix of them are of that form, with coefficients that depend on ``x`` only
through its per-instance moments. :func:`instance_affine` therefore reads the big tensor once for
the mean, once for the variance and once for the result. Everything between is arithmetic on (N, C)
vectors that ordinary autograd differentiates. Only ``x`` is kept for the backward pass, as batch
norm does. Coefficients relative to the instance mean, instead of zero, keep the parameter
gradients exact for means far from zero: nothing of the size of the mean is added and subtracted
again.

Several maps can share the arithmetic between, and so its messages to other ranks.

Shapes: x, y, grad (N, C, H, W); mean, var, scale, centre, slope (N, C); params (C,).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import chain
from typing import Any, TypeVar

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

Item = TypeVar("Item")
# Called with mean, var and the parameters; returns scale, centre and whatever else it found.
Coefficients = Callable[..., tuple[Tensor, ...]]
# The same for several maps: called with a list of (mean, var) and a list of parameters.
JointCoefficients = Callable[[list[tuple[Tensor, Tensor]], list[list[Tensor]]], list]
Gradients = tuple[Tensor | None, ...]


def plain_instance_affine(
    x: Tensor, coefficients: Coefficients, *params: Tensor
) -> tuple[Tensor, ...]:
    """Compute :func:`instance_affine` in elementary operations.

    Export needs it, and so do derivatives of any order.
    """
    return _plain([x], _for_one(coefficients), [list(params)])[0]


def _plain(
    maps: Sequence[Tensor], coefficients: JointCoefficients, params: list[list[Tensor]]
) -> list[tuple[Tensor, ...]]:
    wide = [x.to(stats_dtype(x)) for x in maps]
    means = [x.mean((2, 3), keepdim=True) for x in wide]
    centred = [x - mean for x, mean in zip(wide, means, strict=True)]
    moments = [
        (mean[:, :, 0, 0], (x * x).mean((2, 3))) for mean, x in zip(means, centred, strict=True)
    ]
    results = []
    for x, away, (scale, centre, *found) in zip(
        maps, centred, coefficients(moments, params), strict=True
    ):
        y = (away * scale[:, :, None, None] + centre[:, :, None, None]).to(x.dtype)
        results.append((y, *(t.detach() for t in found)))
    return results


def _for_one(coefficients: Coefficients) -> JointCoefficients:
    def joint(moments: list[tuple[Tensor, Tensor]], params: list[list[Tensor]]) -> list:
        return [coefficients(*moments[0], *params[0])]

    return joint


def _grouped(items: Sequence[Item], sizes: Sequence[int]) -> list[list[Item]]:
    remaining = iter(items)
    return [[next(remaining) for _ in range(size)] for size in sizes]


class _InstanceAffine(torch.autograd.Function):
    """Inputs: coefficients, the number of parameters of each map, all maps, all parameters."""

    @staticmethod
    def forward(
        ctx: Any, coefficients: JointCoefficients, sizes: list[int], *tensors: Tensor
    ) -> tuple[Tensor, ...]:
        maps, params = tensors[: len(sizes)], tensors[len(sizes) :]
        moments = [instance_moments(x) for x in maps]
        with torch.enable_grad():
            for x, pair in zip(maps, moments, strict=True):
                for t in pair:
                    t.requires_grad_(x.requires_grad)
            leaves = [p.detach().requires_grad_(p.requires_grad) for p in params]
            results = coefficients(moments, _grouped(leaves, sizes))
        ctx.coefficients, ctx.sizes = coefficients, sizes
        ctx.small_graph = (moments, leaves, [result[:2] for result in results])
        ctx.save_for_backward(*tensors)
        found = [t.detach() for result in results for t in result[2:]]
        ctx.mark_non_differentiable(*found)
        ctx.set_materialize_grads(False)  # no zeros for what has no gradient
        outputs = []
        for x, (mean, _), (scale, centre, *_) in zip(maps, moments, results, strict=True):
            scale, centre = scale.detach(), centre.detach()
            outputs.append(scale_shift(x, scale, centre - scale * mean.detach()))
        return *outputs, *found

    @staticmethod
    def backward(ctx: Any, *grads: Tensor | None) -> Gradients:
        tensors, number = ctx.saved_tensors, len(ctx.sizes)
        maps, grads = tensors[:number], grads[:number]
        if all(grad is None for grad in grads):
            return (None,) * (2 + len(tensors))
        if torch.is_grad_enabled():  # create_graph=True: differentiated again
            params = _grouped(tensors[number:], ctx.sizes)
            return None, None, *_plain_backward(ctx.coefficients, grads, maps, params)
        moments, leaves, results = ctx.small_graph
        sums = [
            None if grad is None else plane_sums(x, grad, mean.detach())
            for x, grad, (mean, _) in zip(maps, grads, moments, strict=True)
        ]
        by_id = _small_backward([*chain.from_iterable(moments), *leaves], results, sums)
        grads_x: list[Tensor | None] = [None] * number
        for i, (grad, pair) in enumerate(zip(grads, sums, strict=True)):
            if grad is not None and pair is not None and ctx.needs_input_grad[2 + i]:
                (mean, var), scale = moments[i], results[i][0].detach()
                through_mean, grad_var = by_id.get(id(mean)), by_id.get(id(var))
                grad_mean = -scale * pair[0] + (0 if through_mean is None else through_mean)
                arguments = scale, mean.detach(), grad_mean, grad_var
                grads_x[i] = _grad_input(maps[i], grad, *arguments)
        return None, None, *grads_x, *(by_id.get(id(leaf)) for leaf in leaves)


def _small_backward(
    inputs: list[Tensor], results: list[tuple[Tensor, ...]], sums: Sequence
) -> dict[int, Tensor | None]:
    """Differentiate (scale, centre) of all maps; return the gradients by identity of the input.

    ``sums`` holds the gradients of centre and scale for each map, or None.
    """
    pairs: list[tuple[Tensor, Tensor]] = []
    for (scale, centre), found in zip(results, sums, strict=True):
        if found is not None:
            grad_centre, grad_scale = found
            pairs += (scale, grad_scale), (centre, grad_centre)
    pairs = [(t, grad) for t, grad in pairs if t.requires_grad]
    inputs = [t for t in inputs if t.requires_grad]
    if not pairs:
        return {}
    outputs, grads = zip(*pairs, strict=True)
    small = torch.autograd.grad(outputs, inputs, grads, retain_graph=True, allow_unused=True)
    return dict(zip(map(id, inputs), small, strict=True))


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
    coefficients: JointCoefficients,
    grads: Sequence[Tensor | None],
    maps: Sequence[Tensor],
    params: list[list[Tensor]],
) -> Gradients:
    """Differentiate the plain form: the gradients are then differentiable themselves."""
    inputs = [*maps, *chain.from_iterable(params)]
    wanted = [t for t in inputs if t.requires_grad]
    outputs = [result[0] for result in _plain(maps, coefficients, params)]
    used = [(y, grad) for y, grad in zip(outputs, grads, strict=True) if grad is not None]
    ys, grads = zip(*used, strict=True)
    found = torch.autograd.grad(ys, wanted, grads, create_graph=True, allow_unused=True)
    by_id = dict(zip(map(id, wanted), found, strict=True))
    return tuple(by_id.get(id(t)) for t in inputs)


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
    return _InstanceAffine.apply(_for_one(coefficients), [len(params)], x, *params)


def joint_instance_affine(
    maps: Sequence[Tensor], coefficients: JointCoefficients, params: list[list[Tensor]]
) -> list[tuple[Tensor, ...]]:
    """Apply :func:`instance_affine` to several maps whose coefficients are computed together.

    Args:
        maps: Each of shape (N, C, H, W) of its own.
        coefficients: Called as ``coefficients([(mean, var), ...], params)``. Returns for each map
            what :func:`instance_affine` wants, the same number of tensors for all.
        params: Of each map.
    """
    if torch.compiler.is_compiling():
        return _plain(maps, coefficients, params)
    sizes = [len(group) for group in params]
    flat = _InstanceAffine.apply(coefficients, sizes, *maps, *chain.from_iterable(params))
    found = flat[len(maps) :]
    each = len(found) // len(maps)
    return [(y, *found[each * i : each * (i + 1)]) for i, y in enumerate(flat[: len(maps)])]
