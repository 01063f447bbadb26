"""Similarities become answers, and lists get their paths."""

import numpy as np
import torch

from mmreid_ext.apis.answers import Match, judge, matches_of, one_in
from mmreid_ext.apis.inputs import Embedded
from mmreid_ext.apis.search import Nearest
from mmreid_ext.checkpoint.usage.thresholds import Threshold


def threshold(fpr, similarity):
    return Threshold(fpr=fpr, similarity=similarity, tpr=0.9, negatives=500, dataset="set")


def test_the_answer_is_yes_from_the_threshold_on():
    thresholds = [threshold(0.01, 0.5), threshold(0.001, 0.7), threshold(0.0001, None)]
    for similarity, expected in (
        (0.5, [True, False, None]),
        (0.499, [False, False, None]),
        (0.9, [True, True, None]),
    ):
        found = judge(similarity, thresholds)
        assert found.similarity == similarity
        assert [answer.same for answer in found.answers] == expected
        assert [answer.threshold for answer in found.answers] == thresholds
    assert judge(0.5, []).answers == ()


def test_a_comparison_prints_itself():
    thresholds = [threshold(0.01, 0.5), threshold(0.001, 0.7), threshold(0.0001, None)]
    assert str(judge(0.6123, thresholds)) == (
        "similarity 0.612; the same person: yes at 1 in 100, no at 1 in 1,000, ? at 1 in 10,000"
    )
    assert str(judge(0.6, [])).endswith("unknown, the checkpoint has no thresholds")
    assert [one_in(rate) for rate in (0.5, 1 / 3, 0)] == ["1 in 2", "1 in 3", "0"]


def test_matches_have_the_places_and_paths_of_the_gallery():
    found = Nearest(np.array([[2, 0], [1, 2]]), np.array([[0.9, 0.8], [0.7, 0.6]]))
    gallery = Embedded(torch.zeros(3, 1), ["a.jpg", None, "c.jpg"], np.array([0, 4, 5]))
    assert matches_of(found, gallery) == [
        [Match(5, "c.jpg", 0.9), Match(0, "a.jpg", 0.8)],
        [Match(4, None, 0.7), Match(5, "c.jpg", 0.6)],
    ]
    assert matches_of(Nearest(np.zeros((2, 0), int), np.zeros((2, 0))), gallery) == [[], []]
