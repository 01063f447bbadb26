"""Embeddings of images, outside of any Runner."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from mmcv.transforms import Compose
from mmengine.config import Config
from mmengine.dataset import default_collate
from mmengine.registry import DefaultScope
from torch import Tensor

from mmreid_ext.engine.deployment_info import embedding_size
from mmreid_ext.engine.weights import load_weights
from mmreid_ext.errors import MissingFileError, UserError
from mmreid_ext.registry import MODELS

Image = str | os.PathLike | np.ndarray


class ReIDInferencer:
    """Turn images of people into L2-normalised embeddings, exactly as testing does.

    Args:
        config: A configuration file, the name of one of ours (``'metabin_r50'``), or a ``Config``.
        checkpoint: File with the trained weights; nothing in it is executed.
        device: Where to compute. Defaults to the first GPU, else the CPU.
        batch_size: Images per forward pass. Defaults to 64.

    Raises:
        FileNotFoundError: If there is no such configuration or checkpoint.
        ValueError: If the weights don't fit the model.

    Example:
        >>> inferencer = ReIDInferencer('metabin_r50', 'iter_17400.pth')
        >>> embeddings = inferencer(['a.jpg', 'b.jpg'])   # (2, 2048)
        >>> float(embeddings[0] @ embeddings[1])          # cosine similarity
    """

    def __init__(
        self,
        config: str | os.PathLike | Config,
        checkpoint: str | os.PathLike,
        device: str | torch.device | None = None,
        batch_size: int = 64,
    ) -> None:
        if batch_size < 1:
            raise UserError(f"batch_size must be at least 1, got {batch_size}.")
        cfg = config if isinstance(config, Config) else Config.fromfile(find_config(config))
        if device is None:
            device = "cuda" if torch.cuda.is_available() else "cpu"
        self.device = torch.device(device)
        self.batch_size = batch_size
        backbone = dict(cfg.model.backbone, init_cfg=None)  # no download: the checkpoint has all
        with DefaultScope.overwrite_default_scope(cfg.get("default_scope", "mmpretrain")):
            self.model = MODELS.build(dict(cfg.model, backbone=backbone))
            load, *rest = cfg.test_dataloader.dataset.pipeline
            self.load = Compose([load])
            self.transform = Compose(list(rest))
        load_weights(self.model, checkpoint)
        self.model.to(self.device).eval()

    @torch.no_grad()
    def __call__(self, images: Image | Sequence[Image]) -> Tensor:
        """Embed one image or several.

        Args:
            images: Paths, or arrays (H, W, 3) uint8 in OpenCV's BGR order; one or a sequence.

        Returns:
            Shape (N, D), float32, on the CPU, rows of unit length, in the order of the images.

        Raises:
            ValueError: If an array isn't such an image.
            FileNotFoundError: If a path doesn't exist.
        """
        if isinstance(images, (str, os.PathLike, np.ndarray)):
            images = [images]
        batches = [self.model(**batch, mode="tensor").cpu() for batch in self._batches(images)]
        return torch.cat(batches) if batches else torch.zeros(0, embedding_size(self.model))

    def _batches(self, images: Sequence[Image]) -> Iterator[dict[str, Any]]:
        for start in range(0, len(images), self.batch_size):
            chunk = range(start, min(start + self.batch_size, len(images)))
            packed = default_collate([self._prepare(images[i], i) for i in chunk])
            batch = self.model.data_preprocessor(packed, training=False)
            yield {"inputs": batch["inputs"]}

    def _prepare(self, image: Image, index: int) -> dict[str, Tensor]:
        facts = {
            "sample_idx": index,
            "pid": -1,
            "camid": -1,
            "domain": -1,
            "role": "",
            "dataset": "",
        }
        if not isinstance(image, np.ndarray):
            loaded = self.load({"img_path": os.fspath(image), **facts})
        elif image.ndim == 3 and image.shape[2] == 3 and image.dtype == np.uint8:
            size = image.shape[:2]
            loaded = {"img": image, "img_path": "", "img_shape": size, "ori_shape": size, **facts}
        else:
            raise UserError(
                f"Image {index} has shape {image.shape} and type {image.dtype}; "
                "expected (H, W, 3) uint8."
            )
        return {"inputs": self.transform(loaded)["inputs"]}


def find_config(name: str | os.PathLike) -> Path:
    """Path of a configuration, given as a file or by the name of one that comes with the package.

    Raises:
        FileNotFoundError: If it is neither; names what there is.
    """
    path = Path(name)
    if path.is_file():
        return path
    package = Path(__file__).resolve().parent.parent
    folders = [package / ".mim" / "configs", package.parent / "configs"]
    known = {file.stem: file for folder in folders for file in folder.glob("*.py")}
    if str(name) not in known:
        names = ", ".join(sorted(known)) or "none found"
        raise MissingFileError(f"No configuration {str(name)!r}. Ours are: {names}.")
    return known[str(name)]
