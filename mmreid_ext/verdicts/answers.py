"""Answer whether two images show the same person."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from .thresholds import Threshold

WORDS = {True: "yes", False: "no", None: "?"}
"""Answers in words; see :class:`Answer`."""


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

    def __str__(self) -> str:
        """Write ``similarity 0.612; the same person: yes at 1 in 100, no at 1 in 1,000``."""
        answers = (f"{WORDS[a.same]} at {one_in(a.threshold.fpr)}" for a in self.answers)
        text = ", ".join(answers) or "unknown, the checkpoint has no thresholds"
        return f"similarity {self.similarity:.3f}; the same person: {text}"


def judge(similarity: float, thresholds: Sequence[Threshold]) -> Comparison:
    """Answer at each threshold whether a similarity is that of one person."""
    answers = (
        Answer(None if t.similarity is None else similarity >= t.similarity, t) for t in thresholds
    )
    return Comparison(similarity, tuple(answers))


def same_person(similarity: float, thresholds: Sequence[Threshold]) -> str:
    """Say whether two pictures show one person: ``'yes, 1 in 1,000'``, ``'no'``, or nothing.

    Args:
        similarity: Of the two.
        thresholds: Those of the model. The rate is the lowest of false alarms that still says yes.
    """
    answers = [a for a in judge(similarity, thresholds).answers if a.same is not None]
    rates = [answer.threshold.fpr for answer in answers if answer.same]
    if rates:
        return f"yes, {one_in(min(rates))}"
    return "no" if answers else ""


def rates_note(thresholds: Sequence[Threshold]) -> str:
    """Explain the answers of :func:`same_person`; nothing where there are none."""
    known = [threshold for threshold in thresholds if threshold.similarity is not None]
    if not known:
        return ""
    return (
        "yes, 1 in N: that similar are at most 1 in N pairs of different people, measured on "
        f"{known[0].dataset!r}"
    )


def one_in(rate: float) -> str:
    """Write a rate as ``1 in 1,000``."""
    return f"1 in {round(1 / rate):,}" if rate else "0"
