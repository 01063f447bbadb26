"""Score the tracks of a video: identity switches and IDF1, in a few lines of NumPy.

Boxes of a frame are paired with people of the truth, the best overlap first, from 0.5 on.

* Identity switches: how often a person's track is another than the one that had the person before.
* IDF1: tracks are given to people one to one, so that as many pairs as possible agree (IDTP). It is
  2 IDTP / (boxes of the truth + boxes of the tracks). 1 is perfect.

Benchmarks such as MOTChallenge pair boxes in a slightly different way; compare with their tools
only numbers of their tools.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.optimize import linear_sum_assignment

LEAST_OVERLAP = 0.5


@dataclass(frozen=True)
class Score:
    """What tracks are worth.

    Attributes:
        switches: Identity switches.
        idf1: In 0..1.
        tracks: Tracks that had a person at least once.
        people: People in the truth.
    """

    switches: int
    idf1: float
    tracks: int
    people: int

    @property
    def text(self) -> str:
        """One line."""
        return (
            f"{self.switches} identity switches, IDF1 {100 * self.idf1:.1f} %, "
            f"{self.tracks} tracks of {self.people} people"
        )


def overlaps(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """Return intersection over union of boxes, (N, M).

    Args:
        first: Shape (N, 4), left, top, right and bottom edges.
        second: Shape (M, 4).
    """
    low = np.maximum(first[:, None, :2], second[None, :, :2])
    high = np.minimum(first[:, None, 2:], second[None, :, 2:])
    both = np.prod(np.clip(high - low, 0, None), axis=2)
    areas = [np.prod(boxes[:, 2:] - boxes[:, :2], axis=1) for boxes in (first, second)]
    return both / np.maximum(areas[0][:, None] + areas[1][None] - both, 1e-9)


def best_first(scores: np.ndarray, least: float) -> list[tuple[int, int]]:
    """Pair rows with columns, the highest score first; each is used once.

    Args:
        scores: Shape (N, M).
        least: Scores below are no pair.
    """
    pairs, rows, columns = [], set(), set()
    for place in np.argsort(-scores, axis=None, kind="stable"):
        row, column = divmod(int(place), scores.shape[1])
        if scores[row, column] < least:
            break
        if row not in rows and column not in columns:
            pairs.append((row, column))
            rows.add(row)
            columns.add(column)
    return pairs


def score(
    truth: Sequence[tuple[np.ndarray, np.ndarray]], found: Sequence[tuple[np.ndarray, np.ndarray]]
) -> Score:
    """Score tracks.

    Args:
        truth: Numbers (N,) and boxes (N, 4) of the people in each frame.
        found: Numbers and boxes of the tracks in each frame.
    """
    last: dict[int, int] = {}
    switches, agreed = 0, {}
    for (people, boxes), (tracks, their_boxes) in zip(truth, found, strict=True):
        for row, column in best_first(overlaps(boxes, their_boxes), LEAST_OVERLAP):
            person, track = int(people[row]), int(tracks[column])
            switches += last.get(person, track) != track
            last[person] = track
            agreed[person, track] = agreed.get((person, track), 0) + 1
    people, tracks = (sorted({pair[side] for pair in agreed}) for side in (0, 1))
    table = np.zeros((len(people), len(tracks)), int)
    for (person, track), count in agreed.items():
        table[people.index(person), tracks.index(track)] = count
    together = table[linear_sum_assignment(table, maximize=True)].sum()
    boxes = sum(len(numbers) for numbers, _ in (*truth, *found))
    everybody = {int(number) for numbers, _ in truth for number in numbers}
    return Score(switches, float(2 * together / max(boxes, 1)), len(tracks), len(everybody))
