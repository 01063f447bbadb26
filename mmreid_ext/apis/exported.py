"""An exported model as :class:`~mmreid_ext.apis.inferencer.ReIDInferencer` uses one."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from mmreid_ext.checkpoint.fingerprint import file_sha256
from mmreid_ext.deploy.embedder import ON_A_CPU, Embedder
from mmreid_ext.deploy.engines import ENGINES
from mmreid_ext.deploy.input_info import written_input
from mmreid_ext.errors import MissingFileError, UserError
from mmreid_ext.pictures.boxes import crop
from mmreid_ext.pictures.read import read_picture
from mmreid_ext.suggest import did_you_mean

from .configuration import ConfigLike
from .pictures import Picture, as_bgr

BACKENDS = ("pytorch", *ENGINES)


class ExportedModel:
    """An exported model behind the interface of :class:`.embedder.Embedder`.

    Args:
        file: The exported file.
        engine: ``onnxruntime`` or ``openvino``.
        device: ``cpu``, or for ONNX Runtime ``cuda``. None: the CPU.
        batch_size: Images of one call on a GPU; a CPU gets fewer, see :class:`.Embedder`.

    Attributes:
        thresholds: Similarities from which on two images show one person.
        use: ``embedding`` and ``input`` as a checkpoint records them.
        size: Numbers of an embedding.
        device: Where it computes.
    """

    model = loader = transform = None

    def __init__(
        self,
        file: str | os.PathLike,
        engine: str,
        device: str | torch.device | None,
        batch_size: int,
    ) -> None:
        self.device = torch.device(device or "cpu")
        cuda = self.device.type == "cuda"
        if self.device.type not in ("cpu", "cuda") or cuda and engine != "onnxruntime":
            raise UserError(
                f"ReIDInferencer: device={str(device)!r}, must be 'cpu' with backend={engine!r}."
            )
        self._file = Path(file)
        self._embedder = Embedder(
            file,
            batch_size=batch_size if cuda else min(batch_size, ON_A_CPU),
            engine=engine,
            providers=["CUDAExecutionProvider"] if cuda else None,
        )
        info = self._embedder.info
        self.thresholds, self.size = info.thresholds, info.size
        taken = written_input(info.input)
        names = ("height", "width", "steps", "channel_order", "mean", "std")
        # The same order as in a checkpoint: features files compare the text.
        self.use: dict[str, Any] = {
            "embedding": {
                "size": info.size,
                "l2_normalized": True,
                "distance": "cosine",
                "flip_test": info.flip_test,
            },
            "input": {name: taken[name] for name in names},
        }

    def prepare(self, image: Picture, index: int) -> dict[str, Tensor]:
        """Turn an image into an input; see :func:`.embedder.prepare`."""
        if isinstance(image, (str, os.PathLike)):
            return self.prepare_record({"img_path": os.fspath(image)}, index)
        return self._input(as_bgr(image, f"Image {index}"), index)

    def prepare_record(self, record: Mapping[str, Any], index: int) -> dict[str, Tensor]:
        """Turn a picture on disk into an input; see :func:`.embedder.prepare_record`."""
        path = record["img_path"]
        if not os.path.exists(path):
            raise MissingFileError(f"Image {index}: there is no file {path!r}.")
        image = read_picture(path)
        return self._input(
            image if record.get("box") is None else crop(image, record["box"]), index
        )

    def embed(self, batch: dict[str, Tensor]) -> Tensor:
        """Embed prepared inputs, ``inputs``; rows of unit length on the CPU."""
        return torch.from_numpy(self._embedder.embed_inputs(batch["inputs"].numpy()))

    def describe(self) -> dict[str, Any]:
        """Say which model it is, as :func:`~.results.report.describe_checkpoint` does."""
        info = self._embedder.info
        return {
            "file": self._file.name,
            "sha256": file_sha256(self._file),
            "weights": info.identity,
        }

    def _input(self, image: Any, index: int) -> dict[str, Tensor]:
        return {"inputs": torch.from_numpy(self._embedder.prepare(image, f"Image {index}"))}


def exported_model(
    backend: str | None,
    config: ConfigLike | None,
    checkpoint: str | os.PathLike | None,
    device: str | torch.device | None,
    batch_size: int,
) -> ExportedModel | None:
    """Open an exported model; None if a checkpoint is asked for.

    Args:
        backend: One of :data:`BACKENDS`. None: the one for the file.
        config: See :class:`.inferencer.ReIDInferencer`.
        checkpoint: See there.
        device: See there.
        batch_size: See there.

    Raises:
        UserError: If backend and file don't fit together.
    """
    if backend is not None and backend not in BACKENDS:
        raise UserError(
            f"ReIDInferencer: backend={backend!r}{did_you_mean(backend, BACKENDS)}, must be one of "
            f"{', '.join(BACKENDS)}."
        )
    file = config if checkpoint is None else checkpoint
    suffix = Path(file).suffix.lower() if isinstance(file, (str, os.PathLike)) else ""
    engine = {".onnx": "onnxruntime", ".xml": "openvino"}.get(suffix)
    if engine is None and backend in (None, "pytorch"):
        return None
    if engine is None:
        raise UserError(
            f"ReIDInferencer: backend={backend!r} runs exported models, {file!s} is none; export "
            "it (python tools/export.py CHECKPOINT --out FOLDER), or use backend='pytorch'."
        )
    if backend == "pytorch":
        raise UserError(
            f"ReIDInferencer: {file!s} is an exported model, backend='pytorch' runs checkpoints; "
            f"leave backend out, or use {engine!r}."
        )
    if config is not None and checkpoint is not None:
        raise UserError(
            f"ReIDInferencer: {file!s} says itself what it takes, so it needs no configuration; "
            "give the file alone."
        )
    return ExportedModel(str(file), backend or engine, device, batch_size)
