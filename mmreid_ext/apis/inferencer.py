"""Embeddings of images, outside of any Runner."""

from __future__ import annotations

import logging
import os
from collections.abc import Iterable, Iterator, Mapping, Sequence, Set
from itertools import islice
from pathlib import Path

import torch
from mmcv.transforms import Compose
from mmengine.dataset import default_collate
from mmengine.logging import print_log
from mmengine.registry import DefaultScope
from torch import Tensor

from mmreid_ext.checkpoint.usage import (
    compare_usage,
    config_of,
    embedding_size,
    model_settings,
)
from mmreid_ext.checkpoint.weights import load_state, read_checkpoint
from mmreid_ext.datasets.folders import list_images
from mmreid_ext.datasets.loading import (
    UnreadableImageError,
    build_loader,
    load_array,
    load_image,
)
from mmreid_ext.errors import MissingFileError, UserError, UserTypeError
from mmreid_ext.image_loading import evaluation_steps
from mmreid_ext.registry import MODELS
from mmreid_ext.shorten import shorten

from .configuration import (
    ConfigLike,
    as_config,
    as_device,
    checkpoint_and_config,
    find_config,
    without_downloads,
)
from .pictures import Picture, as_bgr, is_one_picture

__all__ = ["ReIDInferencer", "find_config"]

_NOBODY = {"pid": -1, "camid": -1, "domain": -1, "role": "", "dataset": ""}


class ReIDInferencer:
    """Turn images of people into L2-normalised embeddings, exactly as testing does.

    Flip, size, preprocessing and the checks of image files are those of the configuration's tests.
    A checkpoint of this package records its input; a configuration with another mean, standard
    deviation or colour order is refused, other differences are warned of.

    ``ReIDInferencer(checkpoint)`` builds the model that the checkpoint records. One that records
    none needs ``ReIDInferencer(config, checkpoint)``.

    Args:
        config: A configuration file, the name of one of ours (``'metabin_r50'``), a ``Config`` or a
            dict. Loader and pipeline of its test images are used, else those of its validation. Or
            the checkpoint, if that is the only file given.
        checkpoint: File with the trained weights; nothing in it is executed.
        device: Where to compute. Defaults to the first GPU, else the CPU.
        batch_size: Images per forward pass. Defaults to 64.

    Attributes:
        skipped: Why images of the last call were left out, by index; see ``skip``.

    Raises:
        FileNotFoundError: If there is no such configuration or checkpoint.
        ValueError: If the weights don't fit the model, or the input is another one than that of the
            training.

    Example:
        >>> inferencer = ReIDInferencer('iter_17400.pth')
        >>> embeddings = inferencer(['a.jpg', 'b.jpg'])   # (2, 2048)
        >>> float(embeddings[0] @ embeddings[1])          # cosine similarity
    """

    def __init__(
        self,
        config: ConfigLike | None = None,
        checkpoint: str | os.PathLike | None = None,
        device: str | torch.device | None = None,
        batch_size: int = 64,
    ) -> None:
        if not isinstance(batch_size, int) or batch_size < 1:
            raise UserError(
                f"ReIDInferencer: batch_size={batch_size!r}, must be a whole number of at least 1."
            )
        file, config = checkpoint_and_config(config, checkpoint)
        content = read_checkpoint(file)
        cfg = config_of(content, file) if config is None else as_config(config)
        steps, model = evaluation_steps(cfg), model_settings(cfg)
        if steps is None or model is None:
            raise UserError(
                "ReIDInferencer: the configuration needs `model` and the transforms of the test "
                "images, `test_dataloader.dataset.pipeline`; use the configuration of the training."
            )
        self.device = as_device(device)
        self.batch_size = batch_size
        self.skipped: dict[int, str] = {}
        with DefaultScope.overwrite_default_scope(cfg.get("default_scope") or "mmpretrain"):
            self.model = MODELS.build(without_downloads(model))
            self.loader = build_loader(steps.loader)
            self.transform = Compose(steps.transforms)
        if not hasattr(self.model, "embed"):
            raise UserError(
                f"ReIDInferencer: model.type={type(self.model).__name__} gives no embeddings; it "
                "must be 'mmreid_ext.ReIDModel'."
            )
        load_state(self.model, content, file)
        compare_usage(self.model, cfg, content, file, trains=False)
        self.model.to(self.device).eval()

    @torch.no_grad()
    def __call__(self, images: Picture | Iterable[Picture], *, skip: bool = False) -> Tensor:
        """Embed one image or several.

        Args:
            images: One image, or a list, a generator or a stack of images. An image is

                * the path of a file, or of a folder: its images in order of their names;
                * an array (H, W, 3) uint8 in OpenCV's BGR order, (H, W) grey or (H, W, 4) BGRA; a
                  stack has one more dimension in front;
                * a tensor (3, H, W) uint8 in RGB order, as torchvision reads it; or a stack;
                * a PIL image of any mode.

                Transparent parts become black.
            skip: Whether images that can't be used are left out. They are listed in
                :attr:`skipped`, a warning says how many there are, and the rows are those of the
                other images, in order. False: the first one is an error.

        Returns:
            Shape (N, D), float32, on the CPU, rows of unit length, in the order of the images.

        Raises:
            UserError: If an image can't be used; names its index or path.
            MissingFileError: If a path doesn't exist.
        """
        self.skipped = {}
        prepared = self._prepared(images, skip)
        batches = []
        while chunk := list(islice(prepared, self.batch_size)):
            batch = self.model.data_preprocessor(_collate(chunk), training=False)
            batches.append(self.model.embed(batch["inputs"]).cpu())
        if self.skipped:
            shown = shorten(self.skipped.values(), "; ")
            print_log(
                f"ReIDInferencer: {len(self.skipped)} images were left out: {shown}",
                logger="current",
                level=logging.WARNING,
            )
        return torch.cat(batches) if batches else torch.zeros(0, embedding_size(self.model))

    def _prepared(
        self, images: Picture | Iterable[Picture], skip: bool
    ) -> Iterator[tuple[int, dict[str, Tensor]]]:
        for index, image in enumerate(_each(images)):
            try:
                yield index, self._prepare(image, index)
            except UserError as error:
                if not skip:
                    raise
                self.skipped[index] = str(error)

    def _prepare(self, image: Picture, index: int) -> dict[str, Tensor]:
        record = {**_NOBODY, "sample_idx": index}
        if isinstance(image, (str, os.PathLike)):
            path = os.fspath(image)
            if "://" not in path and not os.path.exists(path):
                raise MissingFileError(f"Image {index}: there is no file {path!r}.")
            loaded = load_image(self.loader, {"img_path": path, **record})
        else:
            array = as_bgr(image, f"Image {index}")
            try:
                loaded = load_array(self.loader, array, record)
            except UnreadableImageError as error:
                loader = type(self.loader).__name__
                raise UserError(f"Image {index}: {loader} failed, {error.__cause__}.") from error
        return {"inputs": self.transform(loaded)["inputs"]}


def _collate(chunk: Sequence[tuple[int, dict[str, Tensor]]]) -> dict[str, Tensor]:
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


def _each(images: Picture | Iterable[Picture]) -> Iterator[Picture]:
    """Single images, whatever they were given as."""
    if is_one_picture(images):
        images = [images]
    elif (
        not isinstance(images, Iterable)
        or isinstance(images, (Mapping, Set))  # keys only, or no order
        or hasattr(images, "read")  # an open file: its lines
    ):
        raise UserTypeError(
            f"ReIDInferencer: images is of type {type(images).__name__}; give a path, an array, a "
            "tensor, a PIL image, or a list or generator of them."
        )
    for image in images:
        if isinstance(image, (str, os.PathLike)) and os.path.isdir(image):
            found = list_images(Path(image))
            if not found:
                raise UserError(f"Folder {str(image)!r} has no image.")
            yield from found
        else:
            yield image
