import numpy as np
import pytest

from mmreid_ext.errors import UserError
from mmreid_ext.evaluation.results.comparison import (
    compare,
    format_comparison,
    missing_notes,
    setting_notes,
)


def document(ap, top1=None, names=None, rerank=None, protocol="CameraProtocol", name="ours"):
    """A results document of one test set with these per-query scores (fractions)."""
    count = len(ap)
    variant = dict(ap=list(ap), top1=list(top1 if top1 is not None else ap))
    queries = dict(name=names or [f"{i}.png" for i in range(count)], pid=list(range(count)))
    queries["camid"] = [0] * count
    return dict(
        test_sets={
            name: dict(protocol=dict(type=protocol), queries=queries, plain=variant, rerank=rerank)
        }
    )


def m_ap(a, b, **options):
    return compare(a, b, **options)["ours"]["plain"][0]


def test_queries_are_matched_by_name_not_by_order():
    a = document([0.1, 0.5, 0.9], names=["x", "y", "z"])
    b = document([0.9, 0.1, 0.5], names=["z", "x", "y"])
    b["test_sets"]["ours"]["queries"]["pid"] = [2, 0, 1]
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
    # Welch's t with 1.7 degrees of freedom: 30 points are 2.6 standard errors, 5.1 are needed
    assert found.verdict == "B ahead, but within the spread over seeds"
    assert m_ap(b, a).verdict == "A ahead, but within the spread over seeds"
    a = [document([x, x + 0.01]) for x in (0.10, 0.11, 0.12)]
    b = [document([x, x + 0.02]) for x in (0.40, 0.41, 0.42)]
    assert m_ap(a, b).verdict == "B better beyond queries and seeds"
    assert m_ap(b, a).verdict == "A better beyond queries and seeds"


def test_verdicts_are_careful():
    noisy_seeds = m_ap(
        [document([x, x]) for x in (0.1, 0.5)], [document([x, x]) for x in (0.4, 0.6)]
    )
    assert "within the spread over seeds" in noisy_seeds.verdict
    single = m_ap([document([0.1, 0.1])], [document([0.2, 0.2])])
    assert single.verdict == "B better on these queries; training seeds not measured"
    noisy_queries = m_ap([document([0.1, 0.9])], [document([0.9, 0.2])])
    assert noisy_queries.verdict == "no difference beyond the choice of queries"


def test_one_identity_says_nothing_about_others():
    a, b = document([0.1, 0.2]), document([0.5, 0.6])
    for side in (a, b):
        side["test_sets"]["ours"]["queries"]["pid"] = [3, 3]
    found = m_ap([a], [b])
    assert found.num_identities == 1 and np.isnan(found.low)
    assert "one identity" in found.verdict


def test_rank_1_and_reranked_scores():
    rerank = dict(ap=[0.5], top1=[1.0])
    a = document([0.5], top1=[0.0], rerank=rerank)
    b = document([0.6], top1=[1.0], rerank=rerank)
    report = compare([a], [b])["ours"]
    assert [d.measure for d in report["plain"]] == ["mAP", "R1"]
    assert report["plain"][1].difference == pytest.approx(100)
    assert report["rerank"][0].difference == 0
    b["test_sets"]["ours"]["rerank"] = None
    assert "rerank" not in compare([a], [b])["ours"]


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
    b["test_sets"]["ours"]["queries"]["pid"] = [1, 0]
    assert m_ap([a], [b]).difference == pytest.approx(10), "identities distinguish them"


def test_table():
    a = [document([x, x]) for x in (0.1, 0.2)]
    text = format_comparison(compare(a, a))
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


def test_arguments_of_the_former_bootstrap_are_said_to_be_idle():
    with pytest.warns(UserWarning, match="num_resamples and seed have no effect"):
        compare([document([0.1])], [document([0.2])], num_resamples=10)


def in_folder(root, ap, gallery=None, **options):
    """The same three queries read from ``root``, with the fingerprint of a gallery."""
    names = [f"{root}/query/{i}.jpg" for i in range(3)]
    found = document(ap, names=names, **options)
    if gallery is not None:
        record = dict(gallery=dict(images=gallery, sha256=f"{gallery}"), embeddings=str(ap))
        found["test_sets"]["ours"] |= dict(num_gallery=gallery, data=record)
    return found


@pytest.mark.parametrize("other", ["/elsewhere/deep/set", "set", r"C:\sets\ours", "."])
def test_the_same_set_under_another_root(other):
    moved = in_folder(other, [0.2, 0.3, 0.5], gallery=7)
    if other.startswith("C:"):
        queries = moved["test_sets"]["ours"]["queries"]
        queries["name"] = [name.replace("/", "\\") for name in queries["name"]]
    assert m_ap([in_folder("/a/set", [0.1, 0.2, 0.3], gallery=7)], [moved]).num_queries == 3


@pytest.mark.parametrize("known", [True, False])
def test_another_gallery_is_refused(known):
    a, b = (in_folder("/set", [0.1, 0.2, x], gallery=n) for x, n in ((0.3, 100), (0.4, 316)))
    if not known:  # files of an earlier version tell its size only
        for side in (a, b):
            del side["test_sets"]["ours"]["data"]
    with pytest.raises(UserError, match=r"same gallery of test set 'ours' \(100 against 316"):
        compare([a], [b])


def test_another_gallery_of_the_same_size_is_refused():
    a, b = (in_folder("/set", [0.1, 0.2, x], gallery=100) for x in (0.3, 0.4))
    b["test_sets"]["ours"]["data"]["gallery"]["sha256"] = "other"
    with pytest.raises(UserError, match="same gallery .*not the same ones"):
        compare([a], [b])


def test_what_an_earlier_version_did_not_write_is_said():
    old, new = in_folder("/set", [0.1, 0.2, 0.3]), in_folder("/set", [0.1, 0.2, 0.4], gallery=5)
    (note,) = missing_notes([old, new], ["old.json", "new.json"])
    assert note.startswith("old.json: no fingerprint of the gallery")
    old["test_sets"]["ours"]["plain"]["mAP"] = 0.25
    notes = missing_notes([old, new], ["old.json", "new.json"])
    assert "20.00 here and 25.00 in the table" in notes[1]


def run_of(ap, sha=None, embeddings=None, **more):
    found = document(ap) | more
    if sha:
        found["checkpoint"] = dict(file="last.pth", sha256=sha)
    if embeddings:
        found["test_sets"]["ours"]["data"] = dict(embeddings=embeddings)
    return found


@pytest.mark.parametrize(
    "first, second, sign",
    [
        (run_of([0.1, 0.2], "aa"), run_of([0.1, 0.3], "aa"), "checkpoint aa"),
        (run_of([0.1], "aa", "ee"), run_of([0.1], "bb", "ee"), "same embeddings"),
        (run_of([0.1], None, "ee"), run_of([0.1], None, "ee"), "same embeddings"),
        (run_of([0.1, 0.2]), run_of([0.1, 0.2]), "same AP of every query"),
        (run_of([0.1, 0.2], "aa"), run_of([0.1, 0.2]), "same AP of every query"),
    ],
)
def test_one_run_given_twice_is_not_two_seeds(first, second, sign):
    other = run_of([0.6] * len(first["test_sets"]["ours"]["plain"]["ap"]), "cc", "ff")
    for side, sides in (("Side A", ([first, second], [other])), ("Side B", ([other], [first] * 2))):
        with pytest.raises(UserError, match=f"{side}: run 1 and run 2 are one run given twice"):
            compare(*sides)
    with pytest.raises(UserError, match=sign):
        compare([first, second], [other])
    compare([first], [second])  # on two sides it is a comparison of settings


def test_two_perfect_models_are_two():
    found = m_ap([run_of([1.0, 1.0])] * 2, [run_of([0.5, 0.5])])
    assert found.spread_a == 0


def test_runs_of_a_side_that_are_not_seeds_of_one_training_are_noted():
    def run(seed, rate, ap):
        record = dict(seed=seed, config={"optim_wrapper.optimizer.lr": rate})
        return run_of([ap, 0.2], training=record)

    assert setting_notes([run(0, 0.1, 0.1), run(1, 0.1, 0.2)], [run(0, 0.5, 0.3)]) == []
    assert setting_notes([run(0, 0.1, 0.1), run(1, 0.2, 0.2)], [run(0, 0.1, 0.3)]) == [
        "runs of side A were trained differently: optim_wrapper.optimizer.lr = 0.1 / 0.2"
    ]
    (note,) = setting_notes([run(0, 0.1, 0.1)], [run(3, 0.1, 0.1), run(3, 0.1, 0.2)])
    assert "several runs of side B have the training seed 3" in note


def test_queries_of_random_splits_count_as_in_the_table():
    a, b = document([0.1, 0.4]), document([0.3, 0.8])
    for side in (a, b):
        side["test_sets"]["ours"]["queries"]["weight"] = [0.75, 0.25]
    found = m_ap([a], [b])
    assert (found.a, found.b) == (pytest.approx(17.5), pytest.approx(42.5))
    b["test_sets"]["ours"]["queries"]["weight"] = [0.5, 0.5]
    with pytest.raises(UserError, match="different random splits"):
        compare([a], [b])
