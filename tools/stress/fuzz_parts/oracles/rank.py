"""Rank by sorting nothing: plain loops over pairs, float64, one query after the other."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

TIE = 2.0**-40


@dataclass
class Answer:
    """What one query is worth.

    Attributes:
        ap: Average precision; NaN without a match.
        inp: Inverse negative penalty, likewise.
        first: Rank of the first match, 0 without one.
        matches: Scores of its matches.
        others: Scores of the images that are none.
    """

    ap: float
    inp: float
    first: int
    matches: list[float]
    others: list[float]


def cosine(a: Sequence[float], b: Sequence[float]) -> float:
    """Return the cosine of two vectors; 0 if one is zero."""
    lengths = math.hypot(*a) * math.hypot(*b)
    return math.fsum(x * y for x, y in zip(a, b, strict=True)) / lengths if lengths else 0.0


def nearness(a: Sequence[float], b: Sequence[float]) -> float:
    """Return minus the squared distance of two vectors."""
    return -math.fsum((x - y) ** 2 for x, y in zip(a, b, strict=True))


def plays(pid: int, camera: int | None, other: int, other_camera: int | None) -> str:
    """Say what a gallery image is for a query: ``match``, ``wrong``, ``removed`` or ``junk``."""
    if other == -1:
        return "junk"
    if other != pid:
        return "wrong"
    if camera is None or other_camera is None:
        return "match"
    known = camera >= 0 and other_camera >= 0
    return "match" if known and camera != other_camera else "removed"


def answer(
    scores: Sequence[float], roles: Sequence[str], ties: Sequence[float], keep_removed: bool
) -> Answer:
    """Rank one query.

    Args:
        scores: Of each gallery image.
        roles: From :func:`plays`.
        ties: How much lower than a match an image of another identity may be to be ahead of it,
            by gallery image: that of the match counts.
        keep_removed: Whether what the camera rule removes stays, as wrong with score 0.
    """
    matches = sorted(
        ((s, t) for s, r, t in zip(scores, roles, ties, strict=True) if r == "match"), reverse=True
    )
    others = [s for s, r in zip(scores, roles, strict=True) if r == "wrong"]
    removed = [0.0 for r in roles if r == "removed" and keep_removed]
    ranks = []
    for number, (score, tie) in enumerate(matches, 1):
        ahead = sum(other >= score - tie for other in others)
        ahead += sum(score <= zero for zero in removed)
        ranks.append(number + ahead)
    found = [score for score, _ in matches]
    if not ranks:
        return Answer(math.nan, math.nan, 0, found, others)
    ap = math.fsum(number / rank for number, rank in enumerate(ranks, 1)) / len(ranks)
    return Answer(ap, len(ranks) / ranks[-1], ranks[0], found, others)


def mean(values: Sequence[float]) -> float:
    """Return the mean of those that are numbers; NaN if none is."""
    known = [value for value in values if not math.isnan(value)]
    return math.fsum(known) / len(known) if known else math.nan


def cmc(firsts: Sequence[int], rank: int) -> float:
    """Return the share of queries with a match that have one among the first ``rank``."""
    known = [first for first in firsts if first]
    return sum(first <= rank for first in known) / len(known) if known else math.nan


def rate_bounds(
    positive: Sequence[float], negative: Sequence[float], rate: float, width: float
) -> tuple[float, float]:
    """Return the least and the greatest true positive rate at a false positive rate.

    The threshold lets ``floor(rate * negatives)`` negative pairs through. Positive pairs within
    ``width`` above the first one that is kept out may count as kept out, too.
    """
    if not positive or not negative:
        return math.nan, math.nan
    allowed = math.floor(rate * len(negative) + 1e-9)
    if allowed >= len(negative):
        return 1.0, 1.0
    kept_out = sorted(negative, reverse=True)[allowed]
    least = sum(p > kept_out + width for p in positive) / len(positive)
    most = sum(p > kept_out - 1e-12 for p in positive) / len(positive)
    return least, most
