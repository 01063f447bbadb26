"""Turn images of people into embeddings with an exported model; neither PyTorch nor mm* is loaded.

NumPy, OpenCV, Pillow and the engine are enough.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np

from mmreid_ext.errors import MissingFileError, UserError, UserTypeError, warn_user
from mmreid_ext.pictures.arrays import Picture, as_bgr, is_one_picture, regions
from mmreid_ext.pictures.read import read_picture
from mmreid_ext.pictures.several import is_folder, single_pictures
from mmreid_ext.shorten import several, shorten
from mmreid_ext.verdicts.answers import Comparison, judge
from mmreid_ext.verdicts.thresholds import Threshold

from .engines import open_engine
from .input_check import check_inputs, unit_rows
from .model_info import ModelInfo, read_model_info
from .preprocessing import Preparation

ON_A_CPU = 8
"""Images of one call on a CPU: more gain nothing and cost memory."""


class Embedder:
    """Turn images of people into L2-normalised embeddings with an exported model.

    Files are checked and decoded as in training. Resizing is done in float32; the cosine to the
    embeddings of :class:`mmreid_ext.apis.ReIDInferencer` is about 0.9999, seldom below 0.999; see
    ``docs/deploy/embedder.md``.

    Args:
        file: The exported model, ``.onnx`` or ``.xml``.
        threads: Threads of one call of the engine. Defaults to as many as there are cores.
        batch_size: Images of one call of the engine. Defaults to 8: more gain nothing on a CPU, and
            cost memory. Take 64 on a GPU.
        engine: ``'onnxruntime'`` or ``'openvino'``. Defaults to ONNX Runtime for ``.onnx`` and
            OpenVINO for ``.xml``; OpenVINO runs both.
        providers: Execution providers of ONNX Runtime, such as ``['CUDAExecutionProvider']``.
            Defaults to the CPU.
        info: What the model takes, for a file that doesn't say so itself.

    Attributes:
        info: What the model says about itself.
        thresholds: Similarities from which on two images show the same person; empty if the model
            was exported before it was tested.
        skipped: Why images of the last call were left out, by index; see ``skip``.

    Raises:
        MissingFileError: If there is no such file.
        UserError: If the file can't be used.
        MissingPackageError: If the engine isn't installed.

    Example:
        >>> embedder = Embedder('model.onnx')
        >>> embeddings = embedder(['a.jpg', 'b.jpg'])      # (2, 512)
        >>> float(embeddings[0] @ embeddings[1])           # cosine similarity
    """

    def __init__(
        self,
        file: str | os.PathLike,
        threads: int | None = None,
        batch_size: int = ON_A_CPU,
        *,
        engine: str | None = None,
        providers: Sequence[str] | None = None,
        info: ModelInfo | None = None,
    ) -> None:
        _require_count("threads", 1 if threads is None else threads)
        _require_count("batch_size", batch_size)
        path = Path(file)
        if not path.is_file():
            raise MissingFileError(f"There is no exported model {str(path)!r}.")
        self.info = read_model_info(path) if info is None else info
        self.batch_size = batch_size
        self.skipped: dict[int, str] = {}
        self.thresholds: list[Threshold] = self.info.thresholds
        self._prepare = Preparation(self.info.input)
        self._engine = open_engine(path, engine, threads, providers)
        self._engine.inside.require(
            self._prepare.shape, self._prepare.dtype, self.info.size, str(path)
        )

    @property
    def size(self) -> int:
        """Numbers of an embedding, D."""
        return self.info.size

    def __call__(
        self,
        images: Picture | Iterable[Picture],
        boxes: Any = None,
        *,
        skip: bool = False,
    ) -> np.ndarray:
        """Embed one image, several, or the people in a frame.

        Args:
            images: One image, or a list or a generator of images, which is read batch by batch. An
                image is the path of a file or of a folder; an array (H, W, 3) uint8 in OpenCV's BGR
                order, (H, W) grey or (H, W, 4) BGRA; or a PIL image. Transparent parts become
                black.
            boxes: If given, ``images`` is one frame, and these are the left, top, right and bottom
                edges of people in it, in pixels, (N, 4). What lies outside is left out.
            skip: Whether images or boxes that can't be used are left out. They are listed in
                :attr:`skipped`, a warning says how many there are, and the rows are those of the
                others, in order. False: the first one is an error.

        Returns:
            Shape (N, D), float32, rows of unit length, in the order of the images.

        Raises:
            UserError: If an image can't be used; names its index or path.
        """
        self.skipped = {}
        if boxes is not None:
            images = regions(self._frame(images), boxes)
        prepared = self._prepared(images, skip)
        batches = []
        while chunk := list(islice(prepared, self.batch_size)):
            batches.append(self.embed_inputs(np.stack(chunk)))
        if self.skipped:
            missing = several(len(self.skipped), "image")
            warn_user(f"Embedder: {missing} left out: {shorten(self.skipped.values(), '; ')}")
        return np.concatenate(batches) if batches else np.zeros((0, self.size), np.float32)

    def prepare(self, picture: Picture, name: str = "The image") -> np.ndarray:
        """Return the input of one picture, without a batch.

        Threads may call this and :meth:`embed_inputs`.

        Args:
            picture: One image, as above.
            name: What messages call it.

        Returns:
            Shape (3, H, W) float32, or (H, W, 3) uint8 if the model takes bytes.

        Raises:
            UserError: If it can't be used.
        """
        return self._prepare(self._pixels(picture, name), name)

    def embed_inputs(self, inputs: np.ndarray) -> np.ndarray:
        """Embed prepared inputs, at most ``batch_size`` in one call of the engine.

        Args:
            inputs: Stacked results of :meth:`prepare`, (N, 3, H, W) float32 or (N, H, W, 3) uint8.

        Returns:
            Shape (N, D), float32, rows of unit length; (0, D) without inputs.

        Raises:
            UserError: If they have another shape or type, or numbers that no picture gives.
        """
        check_inputs(inputs, self._prepare)
        if len(inputs) == 0:  # engines fail
            return np.zeros((0, self.size), np.float32)
        most = self._engine.inside.batch or self.batch_size
        parts = [inputs[start : start + most] for start in range(0, len(inputs), most)]
        return np.concatenate([self._embed(part) for part in parts])

    def compare(self, a: Picture, b: Picture) -> Comparison:
        """Say how similar two images are, and whether they show the same person.

        Args:
            a: One image, as above.
            b: Another one.

        Returns:
            The cosine similarity, and an answer at each of :attr:`thresholds`.
        """
        for name, picture in (("a", a), ("b", b)):
            if not is_one_picture(picture) or is_folder(picture):
                raise UserTypeError(f"compare: {name} must be one image, a file or an array.")
        first, second = self([a, b])
        return judge(float(first @ second), self.thresholds)

    def _embed(self, part: np.ndarray) -> np.ndarray:
        fixed = self._engine.inside.batch
        if fixed is None or fixed == len(part):
            return unit_rows(self._engine.run(part), len(part), self.size)
        missing = [(0, fixed - len(part)), *[(0, 0)] * (part.ndim - 1)]
        return unit_rows(self._engine.run(np.pad(part, missing))[: len(part)], len(part), self.size)

    def _prepared(self, images: Picture | Iterable[Picture], skip: bool) -> Iterator[np.ndarray]:
        for index, image in enumerate(single_pictures(images, "Embedder")):
            try:
                yield self.prepare(image, f"Image {index}")
            except UserError as error:
                if not skip:
                    raise
                self.skipped[index] = str(error)

    def _frame(self, frame: Any) -> np.ndarray:
        if not is_one_picture(frame) or is_folder(frame):
            raise UserTypeError(
                f"Embedder: boxes belong to one frame, not to a {type(frame).__name__} of images."
            )
        return self._pixels(frame, "The frame")

    @staticmethod
    def _pixels(picture: Picture, name: str) -> np.ndarray:
        if not isinstance(picture, (str, os.PathLike)):
            return as_bgr(picture, name)
        if not os.path.exists(picture):
            raise MissingFileError(f"{name}: there is no file {os.fspath(picture)!r}.")
        return read_picture(picture)


def _require_count(name: str, number: Any) -> None:
    if not isinstance(number, int) or isinstance(number, bool) or number < 1:
        raise UserError(f"Embedder: {name}={number!r}, must be a whole number of at least 1.")
