"""Answer whether two images show the same person, and which ones are most similar."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from mmreid_ext.checkpoint.usage.thresholds import Threshold

from .search import Nearest


@dataclass(frozen=True)
class Match:
    """A gallery image that was found.

    Attributes:
        index: Its place in the gallery.
        path: Its file; None for images in memory.
        similarity: Cosine of the two embeddings, in [-1, 1].
    """

    index: int
    path: str | None
    similarity: float


@dataclass(frozen=True)
class Answer:
    """Whether two images show the same person, at one rate of false alarms.

    Attributes:
        same: The answer. None: the test set was too small to tell the threshold.
        threshold: Where it comes from, with the rate of false alarms ``fpr``, the ``similarity``
            from which on the answer is yes, and the share ``tpr`` of right pairs that it finds.
    """

    same: bool | None
    threshold: Threshold


@dataclass(frozen=True)
class Comparison:
    """How similar two images are.

    Attributes:
        similarity: Cosine of the two embeddings, in [-1, 1].
        answers: One per threshold that the checkpoint stores, the highest rate of false alarms
            first; empty before it was tested.
    """

    similarity: float
    answers: tuple[Answer, ...]


def judge(similarity: float, thresholds: Sequence[Threshold]) -> Comparison:
    """Answer at each threshold whether a similarity is that of one person."""
    answers = (
        Answer(None if t.similarity is None else similarity >= t.similarity, t) for t in thresholds
    )
    return Comparison(similarity, tuple(answers))


def matches_of(found: Nearest, paths: Sequence[str | None]) -> list[list[Match]]:
    """Return the lists of a search with the paths of the gallery."""
    return [
        [Match(index, paths[index], similarity) for index, similarity in zip(*lists, strict=True)]
        for lists in zip(found.indices.tolist(), found.similarities.tolist(), strict=True)
    ]
