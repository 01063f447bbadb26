"""A layman can read what a comparison says."""

import json

from mmreid_ext.apis.answer_text import answers_data, answers_text
from mmreid_ext.verdicts.answers import judge
from mmreid_ext.verdicts.thresholds import Threshold

THRESHOLDS = [
    Threshold(0.01, 0.5, 0.91, 12345, "market"),
    Threshold(0.001, 0.7, 0.74, 12345, "market"),
    Threshold(0.0001, None, None, 12345, "market"),
]
PAIRS = [("a.jpg", "b.jpg"), ("a.jpg", "c.jpg")]


def test_one_pair_is_a_paragraph():
    assert answers_text(PAIRS[:1], [judge(0.612, THRESHOLDS)], "w.pth") == (
        "a.jpg and b.jpg\n"
        "similarity 0.612 (at most 1)\n"
        "\n"
        "The same person?\n"
        "  yes  at a false alarm rate of 1 in 100 (from 0.500 on, which finds 91.0% of the true "
        "pairs)\n"
        "  no   at a false alarm rate of 1 in 1,000 (from 0.700 on, which finds 74.0% of the true "
        "pairs)\n"
        "  ?    at a false alarm rate of 1 in 10,000: not known, 12,345 pairs of different people "
        "were tested\n"
        "\n"
        "A false alarm: two different people who are taken for one. The rates were measured on "
        "'market'; they hold for pictures of that kind."
    )


def test_several_pairs_are_a_table():
    found = [judge(0.612, THRESHOLDS), judge(0.1, THRESHOLDS)]
    lines = answers_text(PAIRS, found, "w.pth").split("\n")
    assert " ".join(lines[1].split()) == "A B similarity 1 in 100 1 in 1,000 1 in 10,000"
    assert lines[2].split() == ["yes", "from", "0.500", "0.700", "not", "known"]
    assert lines[3].split() == ["a.jpg", "b.jpg", "0.612", "yes", "no", "?"]
    assert lines[4].split() == ["a.jpg", "c.jpg", "0.100", "no", "no", "?"]


def test_without_thresholds_the_way_to_them_is_shown():
    for count in (1, 2):
        text = answers_text(PAIRS[:count], [judge(0.4, [])] * count, "runs/w.pth")
        assert "0.400" in text and "no thresholds" in text and "yes from" not in text
        assert text.endswith("python tools/test.py CONFIG runs/w.pth")


def test_the_same_as_data():
    found = answers_data(PAIRS[:1], [judge(0.6, THRESHOLDS)], "w.pth")
    assert json.loads(json.dumps(found)) == found
    (pair,) = found["pairs"]
    assert (found["model"], pair["a"], pair["b"], pair["similarity"]) == (
        *("w.pth", "a.jpg", "b.jpg"),
        0.6,
    )
    assert [answer["same"] for answer in pair["answers"]] == [True, False, None]
    expected = dict(fpr=0.01, similarity=0.5, tpr=0.91, negatives=12345, dataset="market")
    assert pair["answers"][0] == dict(expected, same=True, self_retrieval=False)
