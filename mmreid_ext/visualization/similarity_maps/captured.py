"""Catch the feature map of a network that a similarity is traced back to."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from torch import Tensor, nn

from mmreid_ext.errors import UserError
from mmreid_ext.suggest import did_you_mean


@contextmanager
def captured_map(model: Any, layer: str | None) -> Iterator[list[Tensor]]:
    """Collect what a layer puts out in the passes inside.

    Args:
        model: A :class:`mmreid_ext.models.ReIDModel`.
        layer: Its name, such as ``backbone.layer3``. None: what the pooling takes; of a vision
            transformer, the input of its last attention.

    Raises:
        UserError: If there is no such layer, or the network has no pooling and no attention that
            could be found.
    """
    found: list[Tensor] = []
    if layer is not None:
        handle = _layer(model, layer).register_forward_hook(
            lambda module, args, output: found.append(_last(output))
        )
    elif model.neck is not None:
        handle = model.neck.register_forward_pre_hook(
            lambda module, args: found.append(_last(args[0]))
        )
    else:
        handle = _last_attention_norm(model).register_forward_hook(
            lambda module, args, output: found.append(_last(output))
        )
    try:
        yield found
    finally:
        handle.remove()


def as_grid(values: Tensor, image_size: tuple[int, int], tokens_before: int) -> Tensor:
    """Lay contributions out as rows and columns of the image.

    Args:
        values: Of a map (1, C, h, w), or of tokens (1, T, C): summed over the C channels.
        image_size: Height and width of the input, which tell the grid of tokens.
        tokens_before: Tokens that stand for no place, such as the class token.

    Returns:
        Shape (h, w).

    Raises:
        UserError: If the values have another shape.
    """
    if values.dim() == 4:
        return values[0].sum(0)
    if values.dim() == 3:
        tokens = values[0, tokens_before:].sum(1)
        height, width = image_size
        rows = round((len(tokens) * height / width) ** 0.5)
        if rows and len(tokens) % rows == 0:
            return tokens.reshape(rows, -1)
    raise UserError(
        f"similarity_maps: the layer puts out {tuple(values.shape)}, must be a map (1, C, h, w) or "
        "tokens (1, T, C) of a grid; choose another layer with --layer."
    )


def _last(output: Any) -> Tensor:
    return output[-1] if isinstance(output, (tuple, list)) else output


def _layer(model: nn.Module, name: str) -> nn.Module:
    modules = dict(model.named_modules())
    if name not in modules or not name:
        raise UserError(
            f"similarity_maps: layer={name!r}{did_you_mean(name, modules)}, the network has no "
            "such layer; print(model) lists them."
        )
    return modules[name]


def _last_attention_norm(model: Any) -> nn.Module:
    blocks = getattr(model.backbone, "layers", None)
    norm = getattr(blocks[-1], "ln1", None) if isinstance(blocks, nn.ModuleList) else None
    if norm is None:
        raise UserError(
            f"similarity_maps: {type(model.backbone).__name__} has neither a pooling neck nor a "
            "last attention `layers[-1].ln1`; name a layer with --layer."
        )
    return norm
