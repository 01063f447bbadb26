"""Inference without normalisation layers where a convolution can do their work."""

from __future__ import annotations

import copy

import torch
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm

from mmreid_ext.errors import UserError
from mmreid_ext.models.norms.batch_instance_norm import BatchInstanceNorm2d


def fold_for_inference(model: nn.Module, images: Tensor) -> tuple[nn.Module, int]:
    r"""Copy a model with batch norms folded into the convolutions before them.

    In evaluation a batch norm is ``scale * x + shift`` with constants, and so is a batch-instance
    norm whose gates are all exactly 1. If its input is what one convolution put out,

    .. math:: W' = scale \cdot W, \quad b' = scale \cdot b + shift

    replaces both. Any other batch-instance norm depends on the image and stays (evaluated in one
    multiply-add). Which convolution feeds which norm is observed in a forward pass, so the names
    and the order of modules don't matter.

    Args:
        model: In evaluation mode, returning a tensor; left as it is.
        images: An input, to observe with.

    Returns:
        The copy, whose outputs equal the model's up to rounding, and the number of norms folded.

    Raises:
        ValueError: If the model is in training mode, or reads the output of a folded convolution
            elsewhere too (its outputs for ``images`` then differ).
    """
    if model.training:
        raise UserError("fold_for_inference needs a model in evaluation mode: call model.eval().")
    folded = copy.deepcopy(model)
    pairs = _find_pairs(folded, images)
    for convolution, norm_name in pairs:
        norm = folded.get_submodule(norm_name)
        _fold(convolution, norm)
        parent, _, name = norm_name.rpartition(".")
        setattr(folded.get_submodule(parent), name, nn.Identity())
    _compare(model, folded, images)
    return folded, len(pairs)


@torch.no_grad()
def _compare(model: nn.Module, folded: nn.Module, images: Tensor) -> None:
    expected, found = model(images), folded(images)
    error = (found - expected).abs().max() / expected.abs().max().clamp(min=1e-12)
    if not error <= 1e-2:  # rounding, also of half precision; reading elsewhere changes it all
        raise UserError(
            f"Folding changes the output by {float(error):.1%}: the model uses what a convolution "
            "puts out for more than the norm after it."
        )


def _is_constant(module: nn.Module) -> bool:
    if isinstance(module, BatchInstanceNorm2d):
        return bool((module.gate == 1).all())
    return isinstance(module, _BatchNorm) and module.running_mean is not None


@torch.no_grad()
def _find_pairs(model: nn.Module, images: Tensor) -> list[tuple[nn.Conv2d, str]]:
    """Convolutions whose output goes into a constant norm and nowhere else, with its name."""
    made: dict[int, nn.Conv2d] = {}  # by the identity of the output
    alive: list = []  # all that was seen, so that no identity is used twice
    fed: dict[str, nn.Conv2d | None] = {}
    calls: dict[nn.Module, int] = {}
    taken: dict[int, int] = {}

    def after(module: nn.Module, inputs: tuple, output) -> None:
        for tensor in inputs:
            taken[id(tensor)] = taken.get(id(tensor), 0) + 1
        calls[module] = calls.get(module, 0) + 1
        if isinstance(module, nn.Conv2d):
            made[id(output)] = module
        alive.extend((*inputs, output))

    def before(name: str, module: nn.Module, inputs: tuple) -> None:
        fed[name] = made.get(id(inputs[0]))

    leaves = {n: m for n, m in model.named_modules() if not any(m.children())}
    hooks = [m.register_forward_hook(after) for m in leaves.values()]
    for name, module in leaves.items():
        if _is_constant(module):
            hooks.append(
                module.register_forward_pre_hook(lambda m, x, name=name: before(name, m, x))
            )
    try:
        model(images)
    finally:
        for hook in hooks:
            hook.remove()
    owners = {id(conv): key for key, conv in made.items()}
    return [
        (conv, name)
        for name, conv in fed.items()
        if conv is not None
        and calls[conv] == calls[leaves[name]] == 1
        and taken[owners[id(conv)]] == 1
    ]


@torch.no_grad()
def _fold(convolution: nn.Conv2d, norm: nn.Module) -> None:
    scale = torch.rsqrt(norm.running_var + norm.eps)
    if norm.weight is not None:
        scale = norm.weight * scale
    shift = -norm.running_mean * scale
    if norm.bias is not None:
        shift = shift + norm.bias
    convolution.weight.mul_(scale[:, None, None, None])
    bias = shift if convolution.bias is None else convolution.bias * scale + shift
    convolution.bias = nn.Parameter(bias.to(convolution.weight.dtype), requires_grad=False)
