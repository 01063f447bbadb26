import numpy as np
import pytest

from mmreid_ext.evaluation.comparison import (
    compare,
    format_comparison,
    paired_bootstrap,
    setting_notes,
)


def document(ap, top1=None, names=None, rerank=None, protocol="CameraProtocol", name="ours"):
    """A results document of one test set with these per-query scores (fractions)."""
    count = len(ap)
    variant = dict(ap=list(ap), top1=list(top1 if top1 is not None else ap))
    queries = dict(name=names or [f"{i}.png" for i in range(count)], pid=[1] * count)
    queries["camid"] = [0] * count
    return dict(
        test_sets={
            name: dict(protocol=dict(type=protocol), queries=queries, plain=variant, rerank=rerank)
        }
    )


def m_ap(a, b, **options):
    return compare(a, b, num_resamples=2000, **options)["ours"]["plain"][0]


def test_interval_has_the_width_that_theory_gives():
    rng = np.random.default_rng(0)
    a = rng.uniform(size=400)
    b = a + 0.02 + 0.1 * rng.normal(size=400)
    low, high = paired_bootstrap(a, b)
    difference = b - a
    half = 1.96 * difference.std() / np.sqrt(400)
    # quantiles of 10,000 resamples are good to about 2 % of the width
    assert low == pytest.approx(difference.mean() - half, abs=0.05 * half)
    assert high == pytest.approx(difference.mean() + half, abs=0.05 * half)


def test_pairing_removes_what_both_sides_share():
    hard = np.random.default_rng(0).uniform(size=300)  # large differences between queries
    low, high = paired_bootstrap(hard, hard + 0.01)
    assert low == pytest.approx(0.01) and high == pytest.approx(0.01)


def test_bootstrap_is_repeatable_and_does_not_depend_on_blocks():
    a, b = np.random.default_rng(1).uniform(size=(2, 50))
    assert paired_bootstrap(a, b, num_resamples=500) == paired_bootstrap(a, b, num_resamples=500)
    assert paired_bootstrap(a, b, seed=1) != paired_bootstrap(a, b, seed=2)


def test_confidence_widens_the_interval():
    a, b = np.random.default_rng(1).uniform(size=(2, 50))
    narrow = paired_bootstrap(a, b, confidence=0.5)
    wide = paired_bootstrap(a, b, confidence=0.99)
    assert wide[0] < narrow[0] < narrow[1] < wide[1]


def test_scores_that_cannot_be_paired():
    with pytest.raises(ValueError, match=r"\(2,\) and \(3,\)"):
        paired_bootstrap(np.zeros(2), np.zeros(3))


def test_queries_are_matched_by_name_not_by_order():
    a = document([0.1, 0.5, 0.9], names=["x", "y", "z"])
    b = document([0.9, 0.1, 0.5], names=["z", "x", "y"])
    found = m_ap([a], [b])
    assert (found.difference, found.low, found.high) == (0, 0, 0)


def test_only_queries_that_all_runs_answered_count():
    found = m_ap([document([0.2, None, 0.4])], [document([0.4, 0.9, None])])
    assert found.num_queries == 1
    assert (found.a, found.b) == (pytest.approx(20), pytest.approx(40))


def test_spread_over_seeds():
    a = [document([x, x]) for x in (0.10, 0.20, 0.30)]
    b = [document([x, x]) for x in (0.40, 0.60)]
    found = m_ap(a, b)
    assert (found.a, found.b) == (pytest.approx(20), pytest.approx(50))
    assert found.spread_a == pytest.approx(10) and found.spread_b == pytest.approx(np.sqrt(200))
    assert found.seed_error == pytest.approx(np.sqrt(100 / 3 + 200 / 2))
    assert found.verdict == "B better beyond queries and seeds"
    assert m_ap(b, a).verdict == "A better beyond queries and seeds"


def test_verdicts_are_careful():
    noisy_seeds = m_ap(
        [document([x, x]) for x in (0.1, 0.5)], [document([x, x]) for x in (0.4, 0.6)]
    )
    assert "within two standard errors over seeds" in noisy_seeds.verdict
    single = m_ap([document([0.1, 0.1])], [document([0.2, 0.2])])
    assert single.verdict == "B better on these queries; training seeds not measured"
    noisy_queries = m_ap([document([0.1, 0.9])], [document([0.9, 0.2])])
    assert noisy_queries.verdict == "no difference beyond the choice of queries"


def test_rank_1_and_reranked_scores():
    rerank = dict(ap=[0.5], top1=[1.0])
    a = document([0.5], top1=[0.0], rerank=rerank)
    b = document([0.6], top1=[1.0], rerank=rerank)
    report = compare([a], [b], num_resamples=10)["ours"]
    assert [d.measure for d in report["plain"]] == ["mAP", "R1"]
    assert report["plain"][1].difference == pytest.approx(100)
    assert report["rerank"][0].difference == 0
    b["test_sets"]["ours"]["rerank"] = None
    assert "rerank" not in compare([a], [b], num_resamples=10)["ours"]


@pytest.mark.parametrize(
    "other, match",
    [
        (document([0.1, 0.2]), "same queries.*'ours'"),
        (document([0.1], protocol="PaddleClasProtocol"), "different protocols"),
        (document([0.1], name="theirs"), "No test set.*'ours', 'theirs'"),
    ],
)
def test_what_does_not_compare(other, match):
    with pytest.raises(ValueError, match=match):
        compare([document([0.1])], [other])


def test_unnamed_queries_need_the_same_order():
    a, b = document([0.1, 0.2], names=["", ""]), document([0.2, 0.3], names=["", ""])
    assert m_ap([a], [b]).difference == pytest.approx(10)
    for side, pids in ((a, [1, 2]), (b, [2, 1])):
        side["test_sets"]["ours"]["queries"]["pid"] = pids
    assert m_ap([a], [b]).difference == pytest.approx(10), "identities distinguish them"


def test_table():
    a = [document([x, x]) for x in (0.1, 0.2)]
    text = format_comparison(compare(a, a, num_resamples=10))
    assert "15.00 ± 7.07" in text and "[+0.00, +0.00]" in text and "no difference" in text


def test_settings_that_differ_are_noted():
    def run(flip, k1):
        scores = dict(ap=[1.0], top1=[1.0], settings=dict(k1=k1))
        return dict(document([1.0], rerank=scores), settings=dict(flip=flip, distance="cosine"))

    assert setting_notes([run(False, 20)], [run(False, 20)]) == []
    assert setting_notes([run(False, 20)], [run(True, 30), run(True, 30)]) == [
        "flip differs: False, True",
        "re-ranking of ours differs: {'approximate': False, 'k1': 20}, "
        "{'approximate': False, 'k1': 30}",
    ]
    assert setting_notes([document([1.0])], [document([0.5])]) == []  # files without settings
    assert setting_notes([run(False, 20)], [dict(document([0.5]), settings=dict())]) == []


def test_settings_written_in_full_or_not_are_the_same():
    def run(expansion):
        return dict(document([1.0, 0.0]), settings=dict(query_expansion=expansion))

    assert setting_notes([run(dict(num_neighbors=5))], [run(dict(alpha=0.0))]) == []
    (note,) = setting_notes([run(None)], [run(dict(alpha=3))])
    assert note == "query_expansion differs: None, {'num_neighbors': 5, 'alpha': 3}"
