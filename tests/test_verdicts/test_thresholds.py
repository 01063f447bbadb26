"""Thresholds are read from a record, whoever wrote it."""

import dataclasses

from mmreid_ext.verdicts.thresholds import Threshold, read_thresholds, threshold_sets

GOOD = Threshold(fpr=0.01, similarity=0.5, tpr=0.9, negatives=500, dataset="home")


def test_every_set_is_named_and_the_highest_rate_comes_first():
    rare = dataclasses.replace(GOOD, fpr=0.001)
    street = dataclasses.replace(GOOD, dataset="street", negatives=9)
    record = dict(thresholds=[dataclasses.asdict(t) for t in (rare, street, GOOD)])
    assert threshold_sets(record) == ["home", "street"]
    assert read_thresholds(record) == [GOOD, rare]
    assert read_thresholds(record, "street") == [street]


def test_entries_of_others_are_passed_over():
    good = dict(fpr=0.01, similarity=0.5, tpr=0.9, negatives=500, dataset="home")
    strange = [
        dict(good, **change)
        for change in (
            dict(fpr="x"),
            dict(negatives=None),
            dict(dataset=3),
            dict(fpr=float("nan")),
            dict(fpr=10**400),
        )
    ]
    record = dict(thresholds=[*strange, "text", None, good])
    assert read_thresholds(record) == [Threshold(**good)]
    for nothing in ({}, dict(thresholds=None), dict(thresholds="many"), dict(thresholds=strange)):
        assert read_thresholds(nothing) == []
