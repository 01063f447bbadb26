"""Write comparisons for people who have never heard of a false positive rate."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from mmreid_ext.evaluation.results.table import text_table
from mmreid_ext.json_values import plain_json
from mmreid_ext.verdicts.answers import WORDS, Answer, Comparison, one_in
from mmreid_ext.verdicts.thresholds import Threshold

from .pairs import Pair

_NO_THRESHOLDS = (
    "There is no yes or no yet: the model has no thresholds. Measure them on a test set, they are "
    "stored with the model:\n  python tools/test.py CONFIG {model}"
)
_FALSE_ALARM = "A false alarm: two different people who are taken for one."


def answers_text(pairs: Sequence[Pair], found: Sequence[Comparison], model: str) -> str:
    """Write one comparison as a paragraph, several as a table.

    Args:
        pairs: The files.
        found: Their comparisons.
        model: The checkpoint, for the way to thresholds.
    """
    text = _one(pairs[0], found[0]) if len(pairs) == 1 else _table(pairs, found)
    answers = found[0].answers
    if not answers:
        return f"{text}\n{_NO_THRESHOLDS.format(model=model)}"
    tested = answers[0].threshold.dataset
    measured = f"The rates were measured on {tested!r}; they hold for pictures of that kind."
    return f"{text}\n{_FALSE_ALARM} {measured}"


def answers_data(pairs: Sequence[Pair], found: Sequence[Comparison], model: str) -> dict[str, Any]:
    """Return comparisons as JSON types: ``model``, and ``pairs`` with their answers."""
    rows = [
        {
            "a": a,
            "b": b,
            "similarity": comparison.similarity,
            "answers": [
                {"same": answer.same, **vars(answer.threshold)} for answer in comparison.answers
            ],
        }
        for (a, b), comparison in zip(pairs, found, strict=True)
    ]
    return plain_json({"model": model, "pairs": rows})


def _one(pair: Pair, comparison: Comparison) -> str:
    lines = [f"{pair[0]} and {pair[1]}", f"similarity {comparison.similarity:.3f} (at most 1)"]
    if comparison.answers:
        lines += ["", "The same person?"]
        lines += map(_line, comparison.answers)
    return "\n".join([*lines, ""])


def _line(answer: Answer) -> str:
    threshold = answer.threshold
    rate = f"{WORDS[answer.same]:<3}  at a false alarm rate of {one_in(threshold.fpr)}"
    if threshold.similarity is None:
        return f"  {rate}: not known, {threshold.negatives:,} pairs of different people were tested"
    share = "" if threshold.tpr is None else f", which finds {threshold.tpr:.1%} of the true pairs"
    return f"  {rate} (from {threshold.similarity:.3f} on{share})"


def _table(pairs: Sequence[Pair], found: Sequence[Comparison]) -> str:
    answers = found[0].answers
    header = ["A", "B", "similarity", *(one_in(answer.threshold.fpr) for answer in answers)]
    rows = [
        [*pair, f"{one.similarity:.3f}", *(WORDS[answer.same] for answer in one.answers)]
        for pair, one in zip(pairs, found, strict=True)
    ]
    limits = ["", "", "yes from", *(_limit(a.threshold) for a in answers)]
    if not answers:
        return text_table([header, *rows], left=2)
    title = "The same person? One column per false alarm rate.\n"
    return f"{title}{text_table([header, limits, *rows], left=2, ruled=False)}\n"


def _limit(threshold: Threshold) -> str:
    return "not known" if threshold.similarity is None else f"{threshold.similarity:.3f}"
