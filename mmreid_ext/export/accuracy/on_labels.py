"""Compare files of two precisions on labelled images: accuracy, cosine, time."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from mmreid_ext.apis.embedder import Embedder, prepare_record
from mmreid_ext.apis.inputs import collate
from mmreid_ext.evaluation.embedding_set import EmbeddingSet
from mmreid_ext.evaluation.results.table import text_table
from mmreid_ext.evaluation.set_evaluation import evaluate_set
from mmreid_ext.export.engines import Run

from .labelled_set import LabelledSet

BATCH = 32
"""Images per call, where the file doesn't fix it."""

LOUD = 1.0
"""Points of mAP: a larger loss is said loudly."""


@dataclass(frozen=True)
class Measured:
    """What a file is worth on a test set.

    Attributes:
        name: Of the file, for people.
        mAP: In percent.
        R1: In percent.
        mean_cosine: Between its embeddings and those of the first file.
        least_cosine: The smallest of them.
        milliseconds: CPU time of one image in the engine, on one thread.
    """

    name: str
    mAP: float
    R1: float
    mean_cosine: float
    least_cosine: float
    milliseconds: float


def measure(
    embedder: Embedder,
    test_set: LabelledSet,
    files: Mapping[str, Run],
    as_input: Callable[[Tensor], np.ndarray],
    batch: int | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> list[Measured]:
    """Embed a test set by several files and evaluate each.

    Args:
        embedder: Loads the images as tests do.
        test_set: The images.
        files: Functions by name, the float32 one first; each on one thread.
        as_input: Turns loaded images (B, 3, H, W) uint8 into what the files take.
        batch: Images per call if the files fix it.
        progress: Called with the images done and all, at first with 0.

    Raises:
        UserError: If an image can't be read, or no query has a match.
    """
    size, total = batch or BATCH, len(test_set.records)
    parts: dict[str, list[np.ndarray]] = {name: [] for name in files}
    seconds = dict.fromkeys(files, 0.0)
    if progress is not None:
        progress(0, total)
    for start in range(0, total, size):
        rows = range(start, min(start + size, total))
        loaded = [(r, prepare_record(test_set.records[r], r, *embedder[1:3])) for r in rows]
        images = as_input(collate(loaded)["inputs"])
        if len(images) < size and batch:
            images = np.concatenate([images, np.repeat(images[-1:], size - len(images), axis=0)])
        for name, run in files.items():
            if start == 0:
                run(images)  # the first call plans memory
            begun = time.process_time()
            found = run(images)
            seconds[name] += time.process_time() - begun
            parts[name].append(_of_unit_length(found[: len(rows)]))
        if progress is not None:
            progress(rows.stop, total)
    feats = {name: np.concatenate(found) for name, found in parts.items()}
    first = next(iter(feats.values()))
    return [
        _measured(name, found, first, test_set, 1000 * seconds[name] / total)
        for name, found in feats.items()
    ]


def _of_unit_length(rows: np.ndarray) -> np.ndarray:
    """Divide by the lengths, so that a product of rows is a cosine."""
    lengths = np.linalg.norm(rows.astype(np.float64), axis=1, keepdims=True)
    return (rows / np.maximum(lengths, 1e-12)).astype(np.float32)


def _measured(
    name: str, feats: np.ndarray, first: np.ndarray, test_set: LabelledSet, milliseconds: float
) -> Measured:
    table = test_set.table
    images = EmbeddingSet(
        torch.from_numpy(feats),
        table.pids,
        table.camids,
        table.roles,
        table.datasets,
        table.names,
        table.distractors,
    )
    scores = evaluate_set(images, test_set.protocol, rerank=None).plain
    cosine = (feats.astype(np.float64) * first).sum(1)
    return Measured(
        name,
        100 * scores.mAP,
        100 * float(scores.cmc[0]),
        float(cosine.mean()),
        float(cosine.min()),
        milliseconds,
    )


def accuracy_text(test_set: LabelledSet, measured: Sequence[Measured]) -> str:
    """Write a table, and a loud line if more than :data:`LOUD` points of mAP were lost."""
    header = ["file", "mAP", "R1", "mean cosine", "least", "CPU ms per image"]
    rows = [
        [
            one.name,
            f"{one.mAP:.2f}",
            f"{one.R1:.2f}",
            f"{one.mean_cosine:.4f}",
            f"{one.least_cosine:.4f}",
            f"{one.milliseconds:.2f}",
        ]
        for one in measured
    ]
    lines = [f"{test_set.name}, {len(test_set.records):,} images, percent; one thread"]
    lines.append(text_table([header, *rows], left=1))
    for one in measured[1:]:
        lost = measured[0].mAP - one.mAP
        if lost > LOUD:
            lines.append(f"WARNING: {one.name} loses {lost:.2f} points of mAP on {test_set.name}.")
    return "\n".join(lines)
