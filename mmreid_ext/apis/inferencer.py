"""Turn images into embeddings and answers, outside of any Runner."""

from __future__ import annotations

import logging
import os
from collections.abc import Iterable, Iterator, Mapping
from itertools import islice
from typing import Any

import numpy as np
import torch
from mmengine.logging import print_log
from torch import Tensor

from mmreid_ext.errors import UserError, UserTypeError
from mmreid_ext.pictures.several import is_folder
from mmreid_ext.shorten import shorten
from mmreid_ext.verdicts.answers import Comparison, judge

from .configuration import ConfigLike, as_device, find_config
from .embedder import Embedder, build_embedder, read_frame
from .exported import ExportedModel, exported_model
from .inputs import (
    Embedded,
    as_embeddings,
    collate,
    single_pictures,
    stored_images,
    with_paths,
)
from .matches import Match, matches_of
from .pictures import Picture, is_one_picture, regions
from .search import cosine, nearest
from .stored_features import is_features_file

__all__ = ["ReIDInferencer", "find_config"]


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
        backend: ``'pytorch'``; or ``'onnxruntime'`` or ``'openvino'`` for an exported model, which
            is given in place of the checkpoint, alone. Defaults to that of the file.

    Attributes:
        thresholds: Similarities from which on two images show the same person, as testing stored
            them with the checkpoint; empty before ``tools/test.py`` has.
        exported: The exported model; None with ``'pytorch'``.
        use: Size of the embeddings and preprocessing of the input, as a checkpoint records them.
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
        backend: str | None = None,
    ) -> None:
        if not isinstance(batch_size, int) or batch_size < 1:
            rule = "must be a whole number of at least 1"
            raise UserError(f"ReIDInferencer: batch_size={batch_size!r}, {rule}.")
        self.batch_size = batch_size
        self.skipped: dict[int, str] = {}
        self.exported = exported_model(backend, config, checkpoint, device, batch_size)
        if self.exported is None:
            self.device = as_device(device)
            self._embedder: Embedder | ExportedModel = build_embedder(
                config, checkpoint, self.device
            )
        else:
            self.device, self._embedder = self.exported.device, self.exported
        used = self._embedder
        self.model, self.loader, self.transform = used.model, used.loader, used.transform
        self.thresholds, self.use = used.thresholds, used.use

    @property
    def size(self) -> int:
        """Numbers of an embedding."""
        return self._embedder.size

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
            batches.append(self.embed_inputs(collate(chunk)))
        if self.skipped:
            shown = shorten(self.skipped.values(), "; ")
            print_log(
                f"ReIDInferencer: {len(self.skipped)} images were left out: {shown}",
                logger="current",
                level=logging.WARNING,
            )
        return torch.cat(batches) if batches else torch.zeros(0, self.size)

    @torch.no_grad()
    def embed_inputs(self, batch: dict[str, Tensor]) -> Tensor:
        """Embed a batch that was loaded and transformed as test images are.

        Args:
            batch: ``inputs``, (B, 3, H, W) uint8; of an exported model, whatever it takes.

        Returns:
            Shape (B, D), float32, on the CPU, rows of unit length.
        """
        return self._embedder.embed(batch)

    def prepare_record(self, record: Mapping[str, Any], index: int) -> dict[str, Tensor]:
        """Load and transform a picture on disk; see :func:`.embedder.prepare_record`."""
        return self._embedder.prepare_record(record, index)

    def crops(self, frame: Picture, boxes: Any, *, skip: bool = False) -> Tensor:
        """Embed the people that a detector or a tracker has found in a frame.

        The crops are those of a data set with boxes; see
        :func:`mmreid_ext.pictures.boxes.crop_edges`.

        Args:
            frame: One image, as above.
            boxes: Left, top, right and bottom edges in pixels, (N, 4), whole or not. What lies
                outside the frame is left out.
            skip: As above, for boxes.

        Returns:
            Shape (N, D) as above; (0, D) without boxes.

        Raises:
            UserError: If a box isn't finite or holds no pixel of the frame; names its index.
        """
        return self(regions(read_frame(frame), boxes), skip=skip)

    def compare(self, a: Picture, b: Picture) -> Comparison:
        """Say how similar two images are, and whether they show the same person.

        Args:
            a: One image, as above.
            b: Another one.

        Returns:
            The cosine similarity, and an answer at each threshold that the checkpoint stores.
        """
        for name, picture in (("a", a), ("b", b)):
            if not is_one_picture(picture) or is_folder(picture):
                raise UserTypeError(
                    f"compare: {name} must be one image; use search for several, or tools/same.py "
                    "for folders and lists of pairs."
                )
        found = self([a, b])
        return judge(cosine(found[:1], found[1:])[0], self.thresholds)

    def search(
        self,
        query: Picture | Iterable[Picture],
        gallery: Picture | Iterable[Picture],
        topk: int = 10,
    ) -> list[list[Match]]:
        """Find the gallery images that are most similar to each query, exactly.

        Args:
            query: Images as above, or embeddings, (Q, D) floating.
            gallery: Images as above, embeddings (G, D), or a features file, as
                ``tools/embed.py`` and ``tools/test.py --save-features`` write it.
            topk: Length of the lists; a smaller gallery gives shorter ones. Defaults to 10.

        Returns:
            For each query its matches, best first; equal ones in order of the gallery.
        """
        asked, offered = self._embedded(query), self._embedded(gallery)
        return matches_of(nearest(asked.embeddings, offered.embeddings, topk), offered)

    def _embedded(self, images: Picture | Iterable[Picture] | Tensor) -> Embedded:
        """Embed images, or take the embeddings that were given or stored."""
        if isinstance(images, (str, os.PathLike)) and is_features_file(images):
            return stored_images(images)
        paths: list[str | None] = []
        found = as_embeddings(images)
        if found is None:
            found = self(with_paths(images, paths))
        return Embedded(found, paths or [None] * len(found), np.arange(len(found)))

    def _prepared(
        self, images: Picture | Iterable[Picture], skip: bool
    ) -> Iterator[tuple[int, dict[str, Tensor]]]:
        for index, image in enumerate(single_pictures(images)):
            try:
                yield index, self._embedder.prepare(image, index)
            except UserError as error:
                if not skip:
                    raise
                self.skipped[index] = str(error)
