"""Let layers that draw random numbers draw for the global batch.

MMPretrain's stochastic depth and PyTorch's dropout draw for the rows that they are given, from the
generator of their process. Two ranks would then drop the same places of different images. The
layers here draw for the batch of all ranks and use their own rows, so that W ranks drop what one
rank would. They need equal generators on every rank, which the training loops see to.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn.modules.dropout import _DropoutNd

from mmreid_ext.distributed import is_distributed, places_of_rows

from .mix_style import MixStyle


class BatchDropPath(nn.Module):
    """Stochastic depth per image, as MMPretrain's ``DropPath``, drawn for all ranks.

    Args:
        drop_prob: Probability of dropping an image's path.
    """

    def __init__(self, drop_prob: float) -> None:
        super().__init__()
        self.drop_prob = drop_prob

    def forward(self, x: Tensor) -> Tensor:
        """Drop the rows of ``x``, shape (N, ...), the same N on every rank."""
        if not self.training or self.drop_prob == 0:
            return x
        keep = 1 - self.drop_prob
        shape, rows = _global_shape(x, (1,) * (x.dim() - 1))
        draws = torch.rand(shape, dtype=x.dtype, device=x.device)
        draws = draws if rows is None else draws[rows]
        return x.div(keep) * (keep + draws).floor()

    def extra_repr(self) -> str:
        """Show the arguments in ``print(model)``."""
        return f"drop_prob={self.drop_prob}"


class BatchDropout(nn.Module):
    """Dropout as ``torch.nn.Dropout``, with other random numbers, drawn for all ranks.

    Every rank draws for the rows of all ranks, one byte for each of their values.

    Args:
        p: Probability of dropping a value.
    """

    def __init__(self, p: float) -> None:
        super().__init__()
        self.p = p

    def forward(self, x: Tensor) -> Tensor:
        """Drop values of ``x``, shape (N, ...), the same N on every rank."""
        if not self.training or self.p == 0:
            return x
        keep = 1 - self.p
        shape, rows = _global_shape(x, x.shape[1:])
        kept = torch.empty(shape, dtype=torch.bool, device=x.device).bernoulli_(keep)
        kept = kept if rows is None else kept[rows]
        return torch.where(kept, x / keep, 0) if keep else torch.zeros_like(x)

    def extra_repr(self) -> str:
        """Show the arguments in ``print(model)``."""
        return f"p={self.p}"


def _global_shape(x: Tensor, rest: tuple[int, ...]) -> tuple[tuple[int, ...], Tensor | None]:
    """Return the shape to draw for all ranks, and this rank's rows of it (None: all)."""
    if not is_distributed():
        return (len(x), *rest), None
    places = places_of_rows(len(x), x.device)
    return (len(places.order), *rest), places.own


def draw_for_global_batch(model: nn.Module) -> None:
    """Replace stochastic depth and dropout anywhere in ``model`` by the layers of this file."""
    for parent in list(model.modules()):
        for name, child in parent.named_children():
            replacement: nn.Module
            if _is_drop_path(child):
                # None, which timm allows, drops nothing.
                replacement = BatchDropPath(vars(child)["drop_prob"] or 0.0)
            elif isinstance(child, nn.Dropout):
                replacement = BatchDropout(child.p)
            else:
                continue
            setattr(parent, name, replacement.train(child.training))


def _is_drop_path(module: nn.Module) -> bool:
    """Whether it is MMCV's or timm's, which are equal (unless timm's does not rescale)."""
    known = type(module).__name__ == "DropPath" and hasattr(module, "drop_prob")
    return known and getattr(module, "scale_by_keep", True)


def layers_that_draw(model: nn.Module) -> list[str]:
    """List the layers that draw for the global batch, by the place of a row in it."""
    return [name for name, module in model.named_modules() if _draws_by_place(module)]


def _draws_by_place(module: nn.Module) -> bool:
    if isinstance(module, MixStyle):
        return module.prob > 0
    return bool(
        (isinstance(module, BatchDropout) and module.p)
        or (isinstance(module, BatchDropPath) and module.drop_prob)
    )


def layers_that_draw_alone(model: nn.Module) -> list[str]:
    """List the layers whose random numbers still depend on the number of ranks.

    These are functions, or options of functions, called within a layer: dropout of attention
    weights in a fused attention and of a DenseNet's layers, mixing augmentations of a preprocessor,
    PyTorch's less usual random layers, and those of :func:`layers_that_seed_themselves`.
    """
    alone = [name for name, module in model.named_modules() if _draws_alone(module)]
    return alone + layers_that_seed_themselves(model)


def layers_that_seed_themselves(model: nn.Module) -> list[str]:
    """List the layers that seed the generators at random before they draw: reversible blocks.

    They do it to draw the same numbers in the forward and in the backward pass. No two runs with
    them are equal.
    """
    return [
        name
        for name, module in model.named_modules()
        if isinstance(vars(module).get("seeds"), dict) and _has_random_layer(module)
    ]


def _has_random_layer(module: nn.Module) -> bool:
    if vars(module).get("drop_path_cfg", {}).get("drop_prob"):  # builds its layer in each pass
        return True
    return bool(layers_that_draw(module))


def _draws_alone(module: nn.Module) -> bool:
    if isinstance(module, (_DropoutNd, nn.RReLU)):
        return getattr(module, "p", 1) > 0
    if type(module).__name__ == "DropPath":
        return bool(getattr(module, "drop_prob", 0))
    if getattr(module, "batch_augments", None) is not None:
        return True
    options = vars(module)
    holds_layers = any(isinstance(m, (BatchDropout, BatchDropPath)) for m in module.modules())
    rates = [options.get("attn_drop"), options.get("dropout")]  # fused attention
    rates += [] if holds_layers else [options.get("drop_rate")]  # DenseNet's layers
    return any(isinstance(rate, float) and rate > 0 for rate in rates)
