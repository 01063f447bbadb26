"""Describe how an image becomes an embedding of a model."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from torch import Tensor, nn

from .image_steps import final_size, image_steps
from .network_settings import network_settings
from .record import FORMAT


def deployment_info(
    model: nn.Module,
    pipeline: Sequence[Mapping[str, Any]],
    network: Mapping[str, Any] | None = None,
    loader: Mapping[str, Any] | None = None,
) -> dict[str, Any]:
    """Describe how an image becomes an embedding.

    Args:
        model: A :class:`mmreid_ext.models.ReIDModel`.
        pipeline: Configurations of the transforms of test images.
        network: Configuration of the model, for ``network``.
        loader: Configuration of their loader. None: see :mod:`mmreid_ext.image_loading`.

    Returns:
        The record: numbers, text, lists and dicts, see :mod:`mmreid_ext.checkpoint.usage`.
    """
    steps = image_steps(pipeline, loader)
    height, width = final_size(steps)
    return dict(
        format=FORMAT,
        embedding=dict(
            size=embedding_size(model),
            l2_normalized=True,
            distance="cosine",
            flip_test=bool(getattr(model, "flip_test", False)),
        ),
        input=dict(height=height, width=width, steps=steps, **_normalization(model)),
        network=network_settings(model, network),
    )


def embedding_size(model: nn.Module) -> int:
    """Return the length of the embeddings of a :class:`mmreid_ext.models.ReIDModel`."""
    head: Any = model.head
    return int(getattr(head, "embedding_dim", head.in_channels))


def _normalization(model: nn.Module) -> dict[str, Any]:
    preprocessor = model.data_preprocessor
    mean, std = (getattr(preprocessor, name, None) for name in ("mean", "std"))
    # MMPretrain keeps images in OpenCV's order and swaps the channels on request.
    # MMEngine's own does so by either of its two options.
    swaps = ("to_rgb", "_channel_conversion")
    order = "RGB" if any(getattr(preprocessor, name, False) for name in swaps) else "BGR"
    return dict(channel_order=order, mean=_numbers(mean), std=_numbers(std))


def _numbers(values: Tensor | None) -> list[float] | None:
    """Write float32 values as the short decimals that they were written as."""
    return None if values is None else [round(v, 4) for v in values.flatten().tolist()]
