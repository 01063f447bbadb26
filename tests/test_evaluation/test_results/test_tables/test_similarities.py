"""Tables of similarities."""

from types import SimpleNamespace

from mmreid_ext.evaluation.results.tables.similarities import format_open_set, format_thresholds
from mmreid_ext.evaluation.retrieval.verification.open_set import OpenSetResult


def point(fpr, similarity, negatives=500):
    return dict(fpr=fpr, similarity=similarity, tpr=0.9, negatives=negatives, dataset="home")


def test_thresholds_say_why_there_is_none():
    points = [point(0.1, 0.4), point(0.01, None), point(0.001, None)]
    text = format_thresholds(dict(home=SimpleNamespace(operating_points=lambda: points)))
    last = text.splitlines()[-1]
    assert last.split("  ")[0] == "home" and "0.400 (90.0 %)" in last
    assert last.index("none") < last.index("too few pairs")
    assert format_thresholds(dict(home=SimpleNamespace(operating_points=list))) == ""


def test_open_set_says_where_strangers_are_too_few():
    one = OpenSetResult({0.1: 0.5, 0.01: float("nan")}, {0.1: 0.25, 0.01: float("nan")}, 30, 20, {})
    text = format_open_set(dict(home=SimpleNamespace(open_set=one)))
    last = text.splitlines()[-1]
    assert last.split()[:3] == ["home", "30", "20"] and last.endswith("50.0 % (0.250)  too few")
    assert format_open_set(dict(home=SimpleNamespace(open_set=None))) == ""
