"""Take images and embeddings in whatever form an application has them."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np
import torch
from mmengine.dataset import default_collate
from torch import Tensor

from mmreid_ext.errors import UserError
from mmreid_ext.pictures import several

from .pictures import Picture, is_one_picture
from .stored_features import distinct_rows, read_embeddings


class Embedded(NamedTuple):
    """Embedded images.

    Attributes:
        embeddings: Shape (N, D).
        paths: Where each comes from; None: from memory.
        rows: Its place in what was given, (N,), int64.
    """

    embeddings: Tensor
    paths: list[str | None]
    rows: np.ndarray


def stored_images(file: str | os.PathLike) -> Embedded:
    """Read a features file; an image that belongs to several test sets is taken once.

    Raises:
        UserError: If it is no features file.
    """
    stored, _ = read_embeddings(file)
    rows = distinct_rows(stored)
    paths = [str(name) or None for name in stored.names[rows]]
    return Embedded(stored.features(rows), paths, rows)


def as_embeddings(value: Any) -> Tensor | None:
    """Return embeddings (N, D) as a tensor on the CPU; None for everything else.

    Pixels are whole numbers, so a floating matrix is never a picture.
    """
    if isinstance(value, np.ndarray) and value.ndim == 2 and value.dtype.kind == "f":
        return torch.from_numpy(np.array(value))  # a copy: arrays can be read-only
    if isinstance(value, Tensor) and value.dim() == 2 and value.is_floating_point():
        return value.detach().cpu()
    return None


def collate(chunk: Sequence[tuple[int, dict[str, Tensor]]]) -> dict[str, Tensor]:
    """Make one batch of numbered, transformed images.

    Raises:
        UserError: If their sizes differ; names two of them.
    """
    first, others = chunk[0], chunk[1:]
    for index, item in others:
        sizes = [tuple(one["inputs"].shape[-2:]) for one in (first[1], item)]
        if sizes[0] != sizes[1]:
            raise UserError(
                f"Image {index} is {sizes[1][0]} x {sizes[1][1]} after the transforms, image "
                f"{first[0]} is {sizes[0][0]} x {sizes[0][1]}: the test pipeline gives no common "
                "size. Add Resize to it, or use batch_size=1."
            )
    return default_collate([item for _, item in chunk])


def single_pictures(images: Picture | Iterable[Picture]) -> Iterator[Picture]:
    """Yield single images, tensors among them; see :func:`.several.single_pictures`."""
    kinds = "a path, an array, a tensor, a PIL image"
    return several.single_pictures(images, "ReIDInferencer", kinds, is_one_picture)


def with_paths(images: Picture | Iterable[Picture], paths: list[str | None]) -> Iterator[Picture]:
    """Yield single images, and append to ``paths`` where each comes from; None: from memory."""
    for image in single_pictures(images):
        paths.append(os.fspath(image) if isinstance(image, (str, os.PathLike)) else None)
        yield image
