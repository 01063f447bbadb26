"""Compare an exported file with PyTorch, on the same images and at several batch sizes."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from mmreid_ext.errors import UserError

from .engines import Run

BATCHES = (1, 2, 7)
"""Batch sizes that are tried, one after another on different images."""

LIMITS = {"fp32": 1e-5, "fp16": 1e-3, "int8": 0.5}
"""What a precision may cost: fp32: largest difference of a number; fp16: one less the least cosine;
int8: one less the mean cosine, which tells a broken file, not a good one."""

DOUBTFUL = 0.05
"""One less the mean cosine from which on an int8 file is warned of. Trained networks lost 0.01 to
0.02, and up to a point of mAP."""


_SLACK = 1e-3
"""By how much the length of a unit vector may be off."""


@dataclass(frozen=True)
class Agreement:
    """How far an engine is from PyTorch.

    Attributes:
        engine: Its name.
        precision: Of the file.
        difference: Largest difference of a number of an embedding.
        least_cosine: Of an image's two embeddings.
        mean_cosine: Over the images.
        images: How many were compared.
        batches: Batch sizes that were tried.
    """

    engine: str
    precision: str
    difference: float
    least_cosine: float
    mean_cosine: float
    images: int
    batches: tuple[int, ...]

    @property
    def is_fine(self) -> bool:
        """Whether it is within :data:`LIMITS`; what isn't a number is not."""
        cost = {
            "fp32": self.difference,
            "fp16": 1 - self.least_cosine,
            "int8": 1 - self.mean_cosine,
        }
        return cost[self.precision] <= LIMITS[self.precision]

    @property
    def is_doubtful(self) -> bool:
        """Whether embeddings changed so much that their accuracy should be measured."""
        return not 1 - self.mean_cosine <= DOUBTFUL

    @property
    def text(self) -> str:
        """One line."""
        sizes = ", ".join(map(str, self.batches))
        text = f"largest difference to PyTorch {self.difference:.1e} (batches of {sizes})"
        if self.precision != "fp32":
            text += f", cosine at least {self.least_cosine:.5f}, mean {self.mean_cosine:.5f}"
        return f"{self.engine}: {text}"


def images_needed(batch: int | None) -> int:
    """Return how many images a comparison takes."""
    return sum(BATCHES) if batch is None else max(2 * batch, sum(BATCHES))


def require_unit_vectors(expected: np.ndarray) -> None:
    """Check what PyTorch computed: zeros would agree with any file, and NaN with none.

    Args:
        expected: Embeddings, (N, D).

    Raises:
        UserError: If a row isn't of unit length.
    """
    lengths = np.linalg.norm(expected.astype(np.float64), axis=1)
    wrong = np.flatnonzero(~(np.abs(lengths - 1) <= _SLACK))
    if wrong.size:
        raise UserError(
            f"export: PyTorch's own embeddings of {wrong.size} of {len(expected)} images have "
            f"length {lengths[wrong[0]]:g}, must have 1: the weights of the checkpoint are "
            "damaged; take an earlier one."
        )


def compare(
    engine: str,
    run: Run,
    images: np.ndarray,
    expected: np.ndarray,
    precision: str,
    batch: int | None = None,
) -> Agreement:
    """Compare what an engine computes with what PyTorch did.

    Args:
        engine: Its name, for the report.
        run: The file, see :func:`.engines.open_file`.
        images: At least :func:`images_needed`, as the file takes them.
        expected: Their embeddings by PyTorch.
        precision: Of the file.
        batch: The file's own batch size; None: any.
    """
    sizes = BATCHES if batch is None else (batch,) * (len(images) // batch)
    parts, start = [], 0
    for size in sizes:
        parts.append(np.asarray(run(np.ascontiguousarray(images[start : start + size]))))
        start += size
    found = np.concatenate(parts).astype(np.float64)
    wanted = expected[:start].astype(np.float64)
    if found.shape != wanted.shape:
        return Agreement(engine, precision, np.inf, -1.0, -1.0, start, tuple(sizes))
    lengths = np.linalg.norm(found, axis=1) * np.linalg.norm(wanted, axis=1)
    cosine = (found * wanted).sum(1) / np.maximum(lengths, 1e-12)
    return Agreement(
        engine,
        precision,
        float(np.abs(found - wanted).max()),
        float(cosine.min()),
        float(cosine.mean()),
        start,
        tuple(dict.fromkeys(sizes)),
    )
