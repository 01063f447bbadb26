"""Wrap a model as one function of images: preprocessing, network, unit vectors."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor, nn

from .normalization import Normalization


class DeployedNetwork(nn.Module):
    """Turn images of one of :data:`.plan.INPUTS` into unit vectors, in a form that is traced.

    Args:
        model: A :class:`mmreid_ext.models.ReIDModel` in evaluation mode; it is copied without what
            only training needs.
        kind: What the images are.
        use: ``input`` of a checkpoint's record, see :mod:`mmreid_ext.checkpoint.usage`.
        outside: How ``normalized`` images were normalised, if not as the model does it.
    """

    mean: Tensor
    std: Tensor
    outside_mean: Tensor
    outside_std: Tensor

    def __init__(
        self,
        model: nn.Module,
        kind: str,
        use: Mapping[str, Any],
        outside: Normalization | None = None,
    ) -> None:
        super().__init__()
        self.kind = kind
        self.undoes = outside is not None and not outside.is_that_of(use)
        self.swaps = use["channel_order"] != (outside.channel_order if outside else "RGB")
        self.normalizes = use["mean"] is not None
        numbers = {"mean": use["mean"] or [0.0], "std": use["std"] or [1.0]}
        if outside is not None:
            numbers |= {"outside_mean": outside.mean, "outside_std": outside.std}
        for name, values in numbers.items():
            channels = torch.tensor(list(values), dtype=torch.float32).view(1, -1, 1, 1)
            self.register_buffer(name, channels)
        self.model = _slim(model)
        self.eval()  # exporters restore the mode of the outermost module, for all inside

    def forward(self, images: Tensor) -> Tensor:
        """Compute embeddings (N, D) of images, see :class:`.plan.ExportPlan`."""
        return self.model.embed(self.prepare(images))

    def prepare(self, images: Tensor) -> Tensor:
        """Turn images into what the network takes, (N, 3, H, W) float32."""
        if self.kind == "normalized" and not self.undoes:
            return images
        if self.kind == "uint8":
            pixels = images.float().permute(0, 3, 1, 2)  # TensorRT casts bytes first
        elif self.kind == "rgb01":
            pixels = images * 255.0
        else:
            pixels = images * self.outside_std + self.outside_mean
        if self.swaps:
            pixels = torch.cat((pixels[:, 2:3], pixels[:, 1:2], pixels[:, 0:1]), dim=1)
        return (pixels - self.mean) / self.std if self.normalizes else pixels


def _slim(model: Any) -> Any:
    """Copy a model without what only training needs, in the plainest memory layout."""
    losses, classifier = getattr(model.head, "losses", None), getattr(model.head, "classifier", 0)
    memo = {id(part): None for part in (losses, classifier) if isinstance(part, nn.Module)}
    slim = copy.deepcopy(model, memo)
    slim.channels_last = False
    slim.to(memory_format=torch.contiguous_format)
    slim.backbone._compiled_call_impl = None
    return slim.requires_grad_(False).eval()
