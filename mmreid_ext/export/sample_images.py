"""Images to compare and to calibrate with: of a folder, or drawn people."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
import torch
from torch import Tensor

from mmreid_ext.apis.embedder import Embedder, prepare, prepare_record
from mmreid_ext.apis.embedding.image_list import list_of
from mmreid_ext.apis.inputs import collate
from mmreid_ext.datasets.synthetic.camera import Camera
from mmreid_ext.datasets.synthetic.pedestrian import make_pedestrian
from mmreid_ext.datasets.synthetic.style import domain_style

from .normalization import Normalization

_DRAWN_SIZE = (128, 64)
_DOMAINS = 5


def drawn_people(count: int) -> Iterator[np.ndarray]:
    """Draw people of several domains and cameras, each (128, 64, 3) uint8 BGR; always the same."""
    styles = [domain_style(domain, 0) for domain in range(_DOMAINS)]
    cameras = [
        Camera(style, domain, (domain, 0), _DRAWN_SIZE) for domain, style in enumerate(styles)
    ]
    for number in range(count):
        camera = cameras[number % _DOMAINS]
        rng = np.random.default_rng((number, 1))
        yield camera.shoot(make_pedestrian(rng, camera.style), rng)


def count_of(source: str | os.PathLike | None) -> int | None:
    """Return how many pictures a source has; None: as many as one likes, they are drawn."""
    return None if source is None else len(list_of(source))


def sample_images(embedder: Embedder, source: str | os.PathLike | None, count: int) -> Tensor:
    """Load images as tests of the model do.

    Args:
        embedder: The model and its loading.
        source: What :func:`mmreid_ext.apis.embedding.image_list.list_of` takes; pictures are taken
            evenly from it, and again if there are too few. None draws people.
        count: How many.

    Returns:
        Shape (count, 3, H, W), uint8, as the model's preprocessor takes them.

    Raises:
        UserError: If a picture can't be read; names it.
    """
    if source is None:
        loaded = [
            (index, prepare(picture, index, embedder.loader, embedder.transform))
            for index, picture in enumerate(drawn_people(count))
        ]
    else:
        images = list_of(source)
        step = max(1.0, len(images) / count)
        places = [int(step * number) % len(images) for number in range(count)]
        loaded = [
            (place, prepare_record(images.record(place), place, *embedder[1:3])) for place in places
        ]
    return collate(loaded)["inputs"]


def network_input(
    inputs: Tensor,
    kind: str,
    model: Any,
    use: Mapping[str, Any],
    outside: Normalization | None = None,
) -> Tensor:
    """Turn loaded images into the input of an exported file, by the words of its description.

    Args:
        inputs: Shape (N, 3, H, W), uint8 in BGR order.
        kind: One of :data:`.plan.INPUTS`.
        model: The model, whose own preprocessor makes the ``normalized`` ones.
        use: ``input`` of a checkpoint's record.
        outside: How ``normalized`` ones are made, if not by that preprocessor.
    """
    if kind == "normalized" and (outside is None or outside.is_that_of(use)):
        return model.data_preprocessor({"inputs": inputs}, training=False)["inputs"]
    rgb = inputs.flip(1)
    if kind == "normalized" and outside is not None:
        pixels = inputs if outside.channel_order == "BGR" else rgb
        mean, std = (torch.tensor(v).view(1, -1, 1, 1) for v in (outside.mean, outside.std))
        return (pixels.float() - mean) / std
    if kind == "uint8":
        return rgb.permute(0, 2, 3, 1).contiguous()
    return rgb.float() / 255.0


@torch.no_grad()
def embeddings_of(embedder: Embedder, inputs: Tensor, batch_size: int = 32) -> np.ndarray:
    """Compute embeddings by PyTorch, as tests do.

    Args:
        embedder: The model.
        inputs: Shape (N, 3, H, W), uint8.
        batch_size: Images of a forward pass.

    Returns:
        Shape (N, D), float32.
    """
    model = embedder.model
    parts = [
        model.embed(model.data_preprocessor({"inputs": part}, training=False)["inputs"])
        for part in inputs.split(batch_size)
    ]
    return torch.cat(parts).float().cpu().numpy()
