"""The model of a command about galleries: an exported file, or a checkpoint where PyTorch is."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from mmreid_ext.deploy import Embedder, ModelInfo
from mmreid_ext.errors import UserError

EXPORTED = (".onnx", ".xml")


class Model(Protocol):
    """Embeds pictures, and says what it is."""

    info: ModelInfo

    def prepare(self, image: np.ndarray) -> Any:
        """Make a picture, (H, W, 3) uint8 in BGR order, into what is embedded."""

    def embed(self, prepared: Sequence[Any]) -> np.ndarray:
        """Return the embeddings, (N, D) float32, rows of unit length."""


class ExportedModel:
    """A file that ``tools/export.py`` wrote; needs no PyTorch.

    Args:
        file: ``.onnx`` or ``.xml``.
        threads: Threads of the engine. None: as many as it likes.
    """

    def __init__(self, file: str | os.PathLike, threads: int | None = None) -> None:
        self._embedder = Embedder(file, threads=threads)
        self.info = self._embedder.info

    def prepare(self, image: np.ndarray) -> Any:
        """See :class:`Model`."""
        return self._embedder.prepare(image)

    def embed(self, prepared: Sequence[Any]) -> np.ndarray:
        """See :class:`Model`."""
        return self._embedder.embed_inputs(np.stack(prepared))


class CheckpointModel:
    """A checkpoint of a training.

    Args:
        checkpoint: The file.
        config: Its configuration, if it holds none.
        device: Where to compute.
    """

    def __init__(
        self, checkpoint: str | os.PathLike, config: str | None = None, device: str | None = None
    ) -> None:
        from mmreid_ext.apis import ReIDInferencer
        from mmreid_ext.export.description import describe
        from mmreid_ext.export.plan import ExportPlan

        self._inferencer = ReIDInferencer(config, checkpoint, device=device)
        plan = ExportPlan(Path())  # float32, in the form of the training
        record = describe(self._inferencer.use, plan, checkpoint, config)
        self.info = ModelInfo.from_record(record, str(checkpoint))

    def prepare(self, image: np.ndarray) -> Any:
        """See :class:`Model`."""
        from mmreid_ext.apis.embedder import prepare

        return prepare(image, 0, self._inferencer.loader, self._inferencer.transform)

    def embed(self, prepared: Sequence[Any]) -> np.ndarray:
        """See :class:`Model`."""
        from mmreid_ext.apis.inputs import collate

        return self._inferencer.embed_inputs(collate(list(enumerate(prepared)))).numpy()


def open_model(file: str, config: str | None = None, device: str | None = None) -> Model:
    """Open an exported model or a checkpoint.

    Raises:
        UserError: If options of a checkpoint are given with an exported model.
    """
    if Path(file).suffix.lower() not in EXPORTED:
        return CheckpointModel(file, config, device)
    given = [f"--config {config}"] * bool(config) + [f"--device {device}"] * bool(device)
    if given:
        raise UserError(f"{given[0]} is for checkpoints; {file} says itself how it is used.")
    return ExportedModel(file)
