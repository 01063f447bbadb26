"""Identity switches and IDF1, against their definitions tried out by brute force."""

import itertools
import sys

import numpy as np
import pytest
from helpers.paths import ROOT

sys.path.insert(0, str(ROOT / "examples"))
from track_score import best_first, overlaps, score


def square(x, y=0.0, size=10.0):
    return [x, y, x + size, y + size]


def frames(*rows):
    """Each row: {number: box}."""
    return [
        (np.array(list(row), int), np.array(list(row.values()), float).reshape(-1, 4))
        for row in rows
    ]


def test_overlaps():
    first = np.array([square(0), square(100)])
    second = np.array([square(0), square(5), square(0, 10), [0, 0, 20, 10]])
    np.testing.assert_allclose(overlaps(first, second), [[1, 1 / 3, 0, 0.5], [0, 0, 0, 0]])
    assert overlaps(np.zeros((0, 4)), second).shape == (0, 4)


def test_the_best_pair_comes_first():
    scores = np.array([[0.9, 0.8, 0.1], [0.85, 0.2, 0.1]])
    assert best_first(scores, 0.15) == [(0, 0), (1, 1)]
    assert best_first(scores, 0.5) == [(0, 0)]
    assert best_first(np.zeros((0, 3)), 0.5) == best_first(np.zeros((3, 0)), 0.5) == []


def test_perfect_tracks():
    truth = frames({1: square(0), 2: square(50)}, {1: square(1), 2: square(51)}, {})
    found = frames({7: square(0), 9: square(50)}, {7: square(1), 9: square(51)}, {})
    result = score(truth, found)
    assert (result.switches, result.idf1, result.tracks, result.people) == (0, 1.0, 2, 2)


def test_a_swap_is_two_switches_and_half_of_the_pairs():
    truth = frames(*({1: square(0), 2: square(50)} for _ in range(4)))
    there, swapped = {1: square(0), 2: square(50)}, {2: square(0), 1: square(50)}
    result = score(truth, frames(there, there, swapped, swapped))
    assert (result.switches, result.idf1) == (2, 0.5)


def test_what_is_lost_or_invented_costs_idf1_but_is_no_switch():
    truth = frames({1: square(0)}, {1: square(0)}, {1: square(0)})
    found = frames({5: square(0)}, {}, {5: square(0), 6: square(90)})
    result = score(truth, found)
    assert (result.switches, result.tracks) == (0, 1)
    assert result.idf1 == pytest.approx(2 * 2 / (3 + 3))
    late = score(truth, frames({5: square(0)}, {}, {6: square(0)}))
    assert late.switches == 1 and late.idf1 == pytest.approx(2 * 1 / (3 + 2))


def test_nobody():
    result = score(frames({}, {}), frames({}, {}))
    assert (result.switches, result.idf1, result.people) == (0, 0.0, 0)
    assert score(frames({1: square(0)}), frames({})).idf1 == 0


def by_brute_force(truth, found):
    """Every way to give tracks to people is tried; pairs by overlap of equal boxes."""
    pairs = [
        {
            int(p): int(t)
            for p, a in zip(*one, strict=True)
            for t, b in zip(*two, strict=True)
            if (a == b).all()
        }
        for one, two in zip(truth, found, strict=True)
    ]
    people = sorted({p for row in pairs for p in row})
    tracks = sorted({t for row in pairs for t in row.values()})
    nobody = [None] * len(people)
    best = max(
        sum(row.get(p) == t for row in pairs for p, t in zip(people, given, strict=True) if t)
        for given in itertools.permutations([*tracks, *nobody], len(people))
    )
    switches = 0
    for person in people:
        seen = [row[person] for row in pairs if person in row]
        switches += sum(a != b for a, b in itertools.pairwise(seen))
    boxes = sum(len(numbers) for numbers, _ in (*truth, *found))
    return switches, 2 * best / boxes


@pytest.mark.parametrize("seed", range(20))
def test_as_the_definitions_say(seed):
    rng = np.random.default_rng(seed)
    truth, found = [], []
    for _ in range(8):
        places = {p: square(20 * p) for p in range(1, 4) if rng.random() < 0.8}
        tracks = rng.permutation(4)[: len(places)] + 1
        seen = [(t, box) for t, box in zip(tracks, places.values(), strict=True)]
        kept = {int(t): box for t, box in seen if rng.random() < 0.8}
        truth.append(places)
        found.append(kept)
    truth, found = frames(*truth), frames(*found)
    result = score(truth, found)
    assert (result.switches, pytest.approx(result.idf1)) == by_brute_force(truth, found)


def test_the_line():
    result = score(frames({1: square(0)}), frames({5: square(0)}))
    assert result.text == "0 identity switches, IDF1 100.0 %, 1 tracks of 1 people"
