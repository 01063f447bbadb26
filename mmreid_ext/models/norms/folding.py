"""Fold normalisation layers into the convolutions before them, for inference."""

from __future__ import annotations

import copy
from collections import Counter
from functools import partial
from typing import Any, cast

import torch
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm

from mmreid_ext.errors import UserError

from .batch_instance_norm import BatchInstanceNorm2d


def fold_for_inference(model: nn.Module, images: Tensor) -> tuple[nn.Module, int]:
    r"""Copy a model with batch norms folded into the convolutions before them.

    In evaluation a batch norm is ``scale * x + shift`` with constants, and so is a batch-instance
    norm whose gates are all exactly 1. If its input is what one convolution put out,

    .. math:: W' = scale \cdot W, \quad b' = scale \cdot b + shift

    replaces both. Any other batch-instance norm depends on the image and stays (evaluated in one
    multiply-add). Which convolution feeds which norm is observed in a forward pass, so the names
    and the order of modules don't matter.

    Args:
        model: In evaluation mode, returning a tensor; it is not changed.
        images: An input, to observe with.

    Returns:
        The copy, whose outputs equal the model's up to rounding, and the number of norms folded.

    Raises:
        ValueError: If the model is in training mode, or reads the output of a folded convolution
            elsewhere too (its outputs for ``images`` then differ).
    """
    if model.training:
        raise UserError(
            "fold_for_inference: model.training=True must be False; call model.eval() first."
        )
    folded = copy.deepcopy(model)
    pairs = _find_pairs(folded, images)
    for convolution, norm_name in pairs:
        norm = folded.get_submodule(norm_name)
        _fold(convolution, norm)
        parent, _, name = norm_name.rpartition(".")
        setattr(folded.get_submodule(parent), name, nn.Identity())
    _compare(model, folded, images)
    return folded, len(pairs)


# Rounding stays below 1 % of the largest output, also in half precision. A convolution that feeds
# something else as well changes the output as a whole.
TOLERANCE = 1e-2
# Only keeps outputs that are all 0 from being divided by 0.
NO_OUTPUT = 1e-12


@torch.no_grad()
def _compare(model: nn.Module, folded: nn.Module, images: Tensor) -> None:
    expected, found = model(images), folded(images)
    error = (found - expected).abs().max() / expected.abs().max().clamp(min=NO_OUTPUT)
    if not error <= TOLERANCE:  # so that NaN is refused
        raise UserError(
            f"fold_for_inference: folding changes the output by {float(error):.1%}, "
            "because the model uses what a convolution puts out for more than the norm after it; "
            "keep this model unfolded."
        )


def _is_constant(module: nn.Module) -> bool:
    if isinstance(module, BatchInstanceNorm2d):
        return bool((module.gate == 1).all())
    return isinstance(module, _BatchNorm) and module.running_mean is not None


class _Observer:
    """Watch one forward pass: which module made which tensor, and who took it.

    Attributes:
        sources: By the name of a constant norm, the convolution that made its input.
    """

    def __init__(self, model: nn.Module) -> None:
        self.leaves = {n: m for n, m in model.named_modules() if not any(m.children())}
        self.sources: dict[str, nn.Conv2d] = {}
        self._makers: dict[int, nn.Conv2d] = {}  # by the identity of the output
        self._outputs: dict[nn.Conv2d, int] = {}
        self._alive: list[Any] = []  # all that was seen, so that no identity is used twice
        self._calls: Counter[nn.Module] = Counter()
        self._readers: Counter[int] = Counter()

    def watch(self, images: Tensor, model: nn.Module) -> None:
        """Run ``model`` on ``images``."""
        hooks = [m.register_forward_hook(self._after) for m in self.leaves.values()]
        for name, module in self.leaves.items():
            if _is_constant(module):
                hooks.append(module.register_forward_pre_hook(partial(self._before, name)))
        try:
            model(images)
        finally:
            for hook in hooks:
                hook.remove()

    def _before(self, name: str, module: nn.Module, inputs: tuple[Any, ...]) -> None:
        maker = self._makers.get(id(inputs[0]))
        if maker is not None:
            self.sources[name] = maker

    def _after(self, module: nn.Module, inputs: tuple[Any, ...], output: Any) -> None:
        self._readers.update(map(id, inputs))
        self._calls[module] += 1
        if isinstance(module, nn.Conv2d):
            self._makers[id(output)] = module
            self._outputs[module] = id(output)
        self._alive.extend((*inputs, output))

    def is_pair(self, convolution: nn.Conv2d, norm: nn.Module) -> bool:
        """Return whether both ran once and nothing but ``norm`` read the convolution's output."""
        once = self._calls[convolution] == self._calls[norm] == 1
        return once and self._readers[self._outputs[convolution]] == 1


@torch.no_grad()
def _find_pairs(model: nn.Module, images: Tensor) -> list[tuple[nn.Conv2d, str]]:
    """Find convolutions whose output goes into a constant norm and nowhere else."""
    observer = _Observer(model)
    observer.watch(images, model)
    return [
        (convolution, name)
        for name, convolution in observer.sources.items()
        if observer.is_pair(convolution, observer.leaves[name])
    ]


@torch.no_grad()
def _fold(convolution: nn.Conv2d, norm: nn.Module) -> None:
    mean, var = norm.get_buffer("running_mean"), norm.get_buffer("running_var")
    parameters = dict(norm.named_parameters())  # none of an affine-free norm
    scale = torch.rsqrt(var + cast(float, norm.eps))
    if "weight" in parameters:
        scale = parameters["weight"] * scale
    shift = -mean * scale
    if "bias" in parameters:
        shift = shift + parameters["bias"]
    convolution.weight.mul_(scale[:, None, None, None])
    bias = shift if convolution.bias is None else convolution.bias * scale + shift
    convolution.bias = nn.Parameter(bias.to(convolution.weight.dtype), requires_grad=False)
