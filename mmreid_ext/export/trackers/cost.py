"""Measure how far a tracker's cut and resize take an embedding from our own."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from mmreid_ext.datasets.synthetic import drawn_frames
from mmreid_ext.deploy.model_info import ModelInfo, read_model_info
from mmreid_ext.deploy.preprocessing import Preparation
from mmreid_ext.export.engines import ENGINES, Run, has_engine, open_file
from mmreid_ext.pictures.boxes import crop_edges

from .table import TRACKERS
from .views import as_fed, tracker_pixels

_FRAMES, _BATCH = 4, 16


@dataclass(frozen=True)
class ViewCost:
    """Similarity of a tracker's embeddings to our own, of the same boxes.

    Attributes:
        mean: Mean cosine.
        least: Smallest cosine.
        people: How many were compared.
    """

    mean: float
    least: float
    people: int

    @property
    def text(self) -> str:
        """One sentence."""
        return (
            f"cosine {self.mean:.4f} on average, {self.least:.4f} at least, "
            f"on {self.people} drawn people"
        )


def view_cost(tracker: str, kind: str, file: Path, batch: int | None = None) -> ViewCost | None:
    """Compare embeddings by a tracker's cut and resize with those by our own.

    Args:
        tracker: A name of :data:`.table.TRACKERS`.
        kind: Format of the file.
        file: The exported model.
        batch: Its own batch size; None: any.

    Returns:
        None if the tracker cuts nothing itself, or nothing here runs the file.
    """
    engines = [engine for engine in ENGINES[kind] if has_engine(engine)]
    if not TRACKERS[tracker].cuts or not engines:
        return None
    run, info = open_file(engines[0], file), read_model_info(file)
    cosines = []
    for frame, boxes in drawn_frames(_FRAMES):
        own, theirs = own_input(info, frame, boxes), tracker_input(tracker, info, frame, boxes)
        cosines.append((_embed(run, own, batch) * _embed(run, theirs, batch)).sum(1))
    found = np.concatenate(cosines)
    return ViewCost(float(found.mean()), float(found.min()), len(found))


def own_input(info: ModelInfo, frame: np.ndarray, boxes: np.ndarray) -> np.ndarray:
    """Return the people of a frame as the model should get them.

    Args:
        info: What the model takes.
        frame: Shape (H, W, 3), uint8 BGR.
        boxes: Shape (N, 4), left, top, right and bottom edges.
    """
    prepare = Preparation(info.input)
    crops = (crop_edges(frame, box, f"Box {number}") for number, box in enumerate(boxes))
    return np.stack([prepare(crop, f"Box {number}") for number, crop in enumerate(crops)])


def tracker_input(
    tracker: str, info: ModelInfo, frame: np.ndarray, boxes: np.ndarray
) -> np.ndarray:
    """Return the people of a frame as the tracker passes them; see :func:`own_input`."""
    pixels = tracker_pixels(tracker, frame, boxes, (info.height, info.width))
    needs = TRACKERS[tracker]
    return as_fed(pixels, needs.input, needs.outside)


def _embed(run: Run, images: np.ndarray, batch: int | None) -> np.ndarray:
    size = batch or _BATCH
    missing = -len(images) % size if batch else 0
    filled = np.concatenate([images, np.zeros_like(images[:1]).repeat(missing, axis=0)])
    parts = [run(filled[at : at + size]) for at in range(0, len(filled), size)]
    return np.concatenate(parts)[: len(images)]
