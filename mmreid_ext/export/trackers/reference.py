"""Embed pixels by PyTorch, to compare a tracker's embeddings with."""

from __future__ import annotations

import numpy as np
import torch

from mmreid_ext.apis.embedder import Embedder


@torch.no_grad()
def embed_pixels(embedder: Embedder, pixels: np.ndarray) -> np.ndarray:
    """Compute embeddings of pixels that already have the size of the model's images.

    Args:
        embedder: The model.
        pixels: Shape (N, H, W, 3), float32, RGB in 0..255; see :func:`.views.tracker_pixels`.

    Returns:
        Shape (N, D), float32.
    """
    use = embedder.use["input"]
    planes = torch.from_numpy(np.ascontiguousarray(pixels)).permute(0, 3, 1, 2)
    if use["channel_order"] == "BGR":
        planes = planes.flip(1)
    if use["mean"] is not None:
        mean, std = (torch.tensor(use[key]).view(1, 3, 1, 1) for key in ("mean", "std"))
        planes = (planes - mean) / std
    return embedder.model.embed(planes.float()).float().numpy()
