import numpy as np
import pytest

from mmreid_ext.evaluation.results.difference import Difference, compare_scores

NAN = float("nan")


def difference(low, high, seed_error=NAN, low_seeds=NAN, high_seeds=NAN, b=60.0):
    return Difference(
        "mAP", 50.0, b, NAN, NAN, low, high, seed_error, 9, 5, low_seeds, high_seeds
    )  # fmt: skip


@pytest.mark.parametrize(
    "found, words",
    [
        (difference(NAN, NAN), "queries of one identity: nothing follows for others"),
        (difference(-1, 21), "no difference beyond the choice of queries"),
        (difference(5, 15), "B better on these queries; training seeds not measured"),
        (difference(-15, -5, b=40.0), "A better on these queries; training seeds not measured"),
        (difference(5, 15, 8, -3, 23), "B ahead, but within the spread over seeds"),
        (difference(5, 15, 1, 4, 16), "B better beyond queries and seeds"),
    ],
)
def test_verdicts(found, words):
    assert found.verdict == words


def test_means_and_their_spread():
    a, b = np.array([[40.0, 60.0], [50.0, 70.0]]), np.array([[80.0, 90.0]])
    found = compare_scores("mAP", a, b, np.array([1, 2]))
    assert (found.a, found.b, found.difference) == (55, 85, 30)
    assert found.spread_a == pytest.approx(np.std([50, 60], ddof=1)) and np.isnan(found.spread_b)
    assert (found.num_queries, found.num_identities) == (2, 2)
    assert found.low <= 30 <= found.high <= 100


def test_weights_count_queries():
    scores = np.array([[0.0, 100.0]])
    found = compare_scores("mAP", scores, scores, np.array([1, 2]), np.array([1.0, 3.0]))
    assert found.a == 75


def test_equal_hits_leave_an_interval_and_equal_precisions_none():
    scores, people = np.full((1, 10), 100.0), np.arange(10)
    hits = compare_scores("R1", scores, scores, people)
    assert hits.low < 0 < hits.high
    precisions = compare_scores("mAP", scores, scores, people)
    assert precisions.low == precisions.high == 0


def test_the_interval_over_seeds_contains_that_over_people():
    generator = np.random.default_rng(0)
    a, b = (50 + generator.normal(size=(3, 40)) for _ in range(2))
    found = compare_scores("mAP", a, b, np.arange(40) // 2)
    assert found.low_seeds <= found.low and found.high <= found.high_seeds
