"""Build what turns a picture into the input of a model, and the model, from a checkpoint."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np
import torch
from mmcv.transforms import Compose
from mmengine.registry import DefaultScope
from torch import Tensor

from mmreid_ext.checkpoint.usage import (
    compare_usage,
    config_of,
    deployment_info,
    embedding_size,
    model_settings,
)
from mmreid_ext.checkpoint.usage.record import recorded
from mmreid_ext.checkpoint.weights import load_state, read_checkpoint
from mmreid_ext.datasets.loading import UnreadableImageError, build_loader, load_array, load_image
from mmreid_ext.errors import MissingFileError, UserError
from mmreid_ext.image_loading import DEFAULT_LOADER, evaluation_steps
from mmreid_ext.registry import MODELS
from mmreid_ext.shorten import one_line
from mmreid_ext.verdicts.thresholds import Threshold, read_thresholds

from .configuration import ConfigLike, as_config, checkpoint_and_config, without_downloads
from .pictures import Picture, as_bgr

_NOBODY = {"pid": -1, "camid": -1, "domain": -1, "role": "", "dataset": ""}


class Embedder(NamedTuple):
    """A model and what makes its input.

    Attributes:
        model: In evaluation mode, on its device.
        loader: Reads a file, or resizes an array, as the loader of the test images does.
        transform: Changes the loaded image as tests do.
        thresholds: Similarities from which on two images show one person, as testing stored them.
        use: ``embedding`` and ``input``, see :mod:`mmreid_ext.checkpoint.usage`.
    """

    model: Any
    loader: Any
    transform: Compose
    thresholds: list[Threshold]
    use: dict[str, Any]

    @property
    def size(self) -> int:
        """Numbers of an embedding."""
        return embedding_size(self.model)

    def prepare(self, image: Picture, index: int) -> dict[str, Tensor]:
        """Turn an image into an input; see :func:`prepare`."""
        return prepare(image, index, self.loader, self.transform)

    def prepare_record(self, record: Mapping[str, Any], index: int) -> dict[str, Tensor]:
        """Turn a picture on disk into an input; see :func:`prepare_record`."""
        return prepare_record(record, index, self.loader, self.transform)

    def embed(self, batch: dict[str, Tensor]) -> Tensor:
        """Embed a batch of inputs, ``inputs``; rows of unit length on the CPU."""
        prepared = self.model.data_preprocessor(batch, training=False)
        return self.model.embed(prepared["inputs"]).float().cpu()


def build_embedder(
    config: ConfigLike | None, checkpoint: str | os.PathLike | None, device: torch.device
) -> Embedder:
    """Build the model of a checkpoint and the loading of its test images.

    Args:
        config: See :class:`.inferencer.ReIDInferencer`.
        checkpoint: See there.
        device: Where the model computes.

    Raises:
        UserError: If there is no configuration, or it and the checkpoint don't fit together.
    """
    file, config = checkpoint_and_config(config, checkpoint)
    # A misspelt name is told before the checkpoint is read.
    given = None if config is None else as_config(config)
    content = read_checkpoint(file)
    cfg = config_of(content, file) if given is None else given
    steps, model = evaluation_steps(cfg), model_settings(cfg)
    if steps is None or model is None:
        raise UserError(
            "ReIDInferencer: the configuration needs `model` and the transforms of the test "
            "images, `test_dataloader.dataset.pipeline`; use the configuration of the training."
        )
    with DefaultScope.overwrite_default_scope(cfg.get("default_scope") or "mmpretrain"):
        built = _built(without_downloads(model), file if given is None else None)
        loader, transform = build_loader(steps.loader), Compose(steps.transforms)
    if not hasattr(built, "embed"):
        raise UserError(
            f"ReIDInferencer: model.type={type(built).__name__} gives no embeddings; it must be "
            "'mmreid_ext.ReIDModel'."
        )
    load_state(built, content, file)
    compare_usage(built, cfg, content, file, trains=False)
    thresholds = read_thresholds(recorded(content) or {})
    # A loader that was given built, from Python, has no settings to describe.
    known = isinstance(steps.loader, Mapping | None)
    described = (
        deployment_info(built, steps.transforms, loader=steps.loader)
        if known
        else deployment_info(built, ())
    )
    use = {name: described[name] for name in ("embedding", "input")}
    return Embedder(built.to(device).eval(), loader, transform, thresholds, use)


def _built(model: Mapping[str, Any], recorded_in: str | os.PathLike | None) -> Any:
    """Build a model; what is wrong with the settings in a checkpoint is one line."""
    if recorded_in is None:
        return MODELS.build(model)
    try:
        return MODELS.build(model)
    except UserError:
        raise
    except (RuntimeError, MemoryError, ValueError, TypeError, ArithmeticError) as error:
        raise UserError(
            f"{os.fspath(recorded_in)} records a model that can't be built "
            f"({type(error).__name__}: {one_line(error)}); give its configuration beside it."
        ) from error


def prepare(image: Picture, index: int, loader: Any, transform: Compose) -> dict[str, Tensor]:
    """Turn an image into the input of the model's preprocessor.

    Args:
        image: See :class:`.inferencer.ReIDInferencer`.
        index: Its place among the images, for messages.
        loader: See :class:`Embedder`.
        transform: See :class:`Embedder`.

    Returns:
        ``inputs``.

    Raises:
        UserError: If it can't be used; names its index or path.
    """
    if isinstance(image, (str, os.PathLike)):
        return prepare_record({"img_path": os.fspath(image)}, index, loader, transform)
    record = {**_NOBODY, "sample_idx": index}
    array = as_bgr(image, f"Image {index}")
    try:
        loaded = load_array(loader, array, record)
    except UnreadableImageError as error:
        name = type(loader).__name__
        raise UserError(f"Image {index}: {name} failed, {error.__cause__}.") from error
    return {"inputs": transform(loaded)["inputs"]}


def prepare_record(
    record: Mapping[str, Any], index: int, loader: Any, transform: Compose
) -> dict[str, Tensor]:
    """Turn a picture on disk into the input of the model's preprocessor; see :func:`prepare`.

    Args:
        record: ``img_path``, and ``box`` if the image is a part of that picture.
        index: See :func:`prepare`.
        loader: See :class:`Embedder`.
        transform: See :class:`Embedder`.
    """
    path = record["img_path"]
    if "://" not in path and not os.path.exists(path):
        raise MissingFileError(f"Image {index}: there is no file {path!r}.")
    loaded = load_image(loader, {**_NOBODY, "sample_idx": index, **record})
    return {"inputs": transform(loaded)["inputs"]}


def read_frame(frame: Picture) -> np.ndarray:
    """Decode a frame in its own size, (H, W, 3) uint8 in BGR order.

    Raises:
        UserError: If it can't be read.
    """
    if not isinstance(frame, (str, os.PathLike)):
        return as_bgr(frame, "The frame")
    path = os.fspath(frame)
    if not os.path.isfile(path):
        raise MissingFileError(f"crops: there is no file {path!r}.")
    return load_image(build_loader(dict(DEFAULT_LOADER)), {"img_path": path, **_NOBODY})["img"]
