"""Similarities become answers."""

from mmreid_ext.verdicts.answers import judge, one_in, rates_note, same_person
from mmreid_ext.verdicts.thresholds import Threshold


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


def test_the_strictest_answer():
    thresholds = [threshold(0.01, 0.5), threshold(0.001, 0.7), threshold(0.0001, None)]
    assert same_person(0.75, thresholds) == "yes, 1 in 1,000"
    assert same_person(0.6, thresholds) == "yes, 1 in 100"
    assert same_person(0.4, thresholds) == "no"
    assert same_person(0.4, []) == same_person(0.4, thresholds[2:]) == ""


def test_the_rates_are_explained_where_there_are_any():
    assert rates_note([threshold(0.01, 0.5)]).endswith("measured on 'set'")
    assert rates_note([threshold(0.0001, None)]) == rates_note([]) == ""
