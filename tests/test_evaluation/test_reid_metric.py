import json
import subprocess
import sys

import numpy as np
import pytest
import torch
from helpers.distributed import run_distributed
from helpers.metric_samples import evaluate, make_set, sample
from mmengine.evaluator import Evaluator
from mmpretrain.structures import DataSample

from mmreid_ext.evaluation import ReIDMetric, evaluate_retrieval, load_features, reid_metric
from mmreid_ext.registry import METRICS


def test_scores_of_a_ranking_done_by_hand():
    # Query at angle 0. Its own camera's nearest image is removed; then: match, wrong, match.
    angle = lambda degrees: [np.cos(np.radians(degrees)), np.sin(np.radians(degrees))]  # noqa: E731
    samples = [
        sample(0, angle(0), 1, 0, "query"),
        sample(1, angle(1), 1, 0, "gallery"),  # same identity, same camera: removed
        sample(2, angle(10), 1, 1, "gallery"),  # rank 1
        sample(3, angle(20), 2, 1, "gallery"),  # rank 2, wrong
        sample(4, angle(30), 1, 2, "gallery"),  # rank 3
    ]
    metrics, metric = evaluate(samples)
    assert metrics["people/mAP"] == pytest.approx(100 * (1 + 2 / 3) / 2)
    assert metrics["people/mINP"] == pytest.approx(100 * 2 / 3)
    assert metrics["people/R1"] == 100
    keys = ("mAP", "mINP", "R1", "R5", "R10", "R20")
    assert set(metrics) == {f"people/{row}{key}" for row in ("", "rerank/") for key in keys}
    assert set(metrics) == set(metric.metric_keys() or metrics)
    assert metric.last_results["people"].plain.ap == pytest.approx([(1 + 2 / 3) / 2])


@pytest.fixture
def logged(monkeypatch):
    """Level and text of all that the metric logs."""
    lines = []

    class Logger:
        def info(self, text, *values):
            lines.append(("info", text % values))

        def warning(self, text, *values):
            lines.append(("warning", text % values))

    monkeypatch.setattr(reid_metric.MMLogger, "get_current_instance", lambda: Logger())
    return lines


def test_agrees_with_evaluate_retrieval_on_several_sets_and_writes_its_tables(logged):
    sets = {name: make_set(name, seed=seed) for seed, name in enumerate(("b", "a"))}
    metrics, metric = evaluate(sets["b"] + sets["a"], rerank=dict(k1=5))
    for name, samples in sets.items():
        query, gallery = (
            [s for s in samples if s["role"] == role] for role in ("query", "gallery")
        )
        arguments = [torch.stack([s["pred_embedding"] for s in part]) for part in (query, gallery)]
        for key in ("pid", "camid"):
            arguments += [np.array([s[key] for s in part]) for part in (query, gallery)]
        plain = evaluate_retrieval(*arguments)
        reranked = evaluate_retrieval(*arguments, rerank=dict(k1=5, k2=6, lambda_value=0.3))
        assert metrics[f"{name}/mAP"] == pytest.approx(100 * plain.mAP)
        assert metrics[f"{name}/rerank/mAP"] == pytest.approx(100 * reranked.mAP)
        assert metrics[f"{name}/rerank/R1"] == pytest.approx(100 * reranked.cmc[0])
    assert list(metric.last_results) == ["b", "a"], "order of the test sets, not of the alphabet"
    (table,) = [text for _, text in logged if "Retrieval, in percent" in text]
    rankings, thresholds = table.strip().split("\n\n")
    first_words = [line.split("  ")[0] for line in rankings.splitlines()[3:]]
    assert first_words == ["b", "b (re-ranked)", "a", "a (re-ranked)"]
    assert [line.split()[0] for line in thresholds.splitlines()[3:]] == ["b", "a"]
    assert f"{metrics['a/mAP']:.2f}" in table and f"{metrics['b/rerank/R1']:.2f}" in table


def test_repeated_images_count_once():
    samples = make_set()
    metric = ReIDMetric()
    metric.process(None, samples + samples[:3])
    repeated = metric.evaluate(len(samples))
    assert repeated == evaluate(samples)[0]


def test_the_same_index_in_two_sets_is_two_images():
    metrics, _ = evaluate(make_set("one") + make_set("two", seed=1))
    assert "one/mAP" in metrics and "two/mAP" in metrics


@pytest.mark.parametrize("shown, match", [(-1, "Some were never processed"), (1, "sample_idx")])
def test_wrong_count_is_an_error(shown, match):
    samples = make_set()
    metric = ReIDMetric()
    metric.process(None, samples)
    with pytest.raises(ValueError, match=match):
        metric.evaluate(len(samples) - shown)


def test_second_evaluation_starts_empty():
    samples = make_set()
    first, metric = evaluate(samples)
    metric.process(None, samples)
    assert metric.evaluate(len(samples)) == first


def test_cameras_that_remove_every_match_are_explained():
    samples = [dict(s, camid=0) for s in make_set("mine")]
    with pytest.raises(ValueError, match="'mine'.*7 queries of 7 identities.*'no_camera'"):
        evaluate(samples)
    metrics, _ = evaluate(samples, protocols="no_camera")
    assert metrics["mine/mAP"] > 0


def test_identities_that_do_not_meet_are_explained():
    samples = [dict(s, pid=s["pid"] + 100 * (s["role"] == "query")) for s in make_set("mine")]
    with pytest.raises(ValueError, match="identities of query and gallery differ"):
        evaluate(samples)


def test_a_set_without_valid_query_leaves_the_others(logged):
    bad = [dict(s, camid=0) for s in make_set("bad")]
    metrics, _ = evaluate(make_set("good") + bad)
    assert {key.split("/")[0] for key in metrics} == {"good"}
    (warning,) = [text for level, text in logged if level == "warning"]
    assert "'bad' has no query that could be answered" in warning


def test_unknown_cameras_are_said_in_the_log(logged):
    samples = make_set()
    samples[2]["camid"] = -1
    evaluate(samples)
    (warning,) = [text for level, text in logged if level == "warning"]
    assert "1 of 28 images have no known camera" in warning


def test_queries_without_a_match_are_named(logged):
    samples = make_set()
    for s in samples:
        if s["role"] == "gallery" and s["pid"] in (2, 5):
            s["pid"] = 99
    metrics, _ = evaluate(samples)
    (warning,) = [text for level, text in logged if level == "warning"]
    assert warning.startswith(
        "people: 2 of 7 queries have no match and are not counted: "
        "people/ü8.png (identity 2), people/ü20.png (identity 5). "
        "2 queries: identities of query and gallery differ"
    )


def test_junk_takes_no_part_in_extras_and_expansion():
    rng = np.random.default_rng(3)
    junk = [sample(1000 + i, rng.normal(size=8), -1, i % 3, "gallery") for i in range(30)]
    clean = make_set()
    for settings in (
        dict(protocols="self_retrieval"),
        dict(query_expansion=dict(num_neighbors=4, alpha=0.0)),
    ):
        assert evaluate(clean + junk, **settings)[0] == pytest.approx(
            evaluate(clean, **settings)[0]
        )


def test_in_shop_reports_r_precision():
    metrics, _ = evaluate(make_set(), protocols="in_shop")
    assert {f"people/{key}" for key in ("R50", "R-precision", "MAP@R", "NMI")} <= set(metrics)


def test_protocol_of_the_dataset_and_its_override():
    samples = [dict(s, camid=0) for s in make_set("mine")]
    meta = dict(test_sets=dict(mine=dict(protocol="no_camera")))
    announced, _ = evaluate(samples, meta=meta)
    assert announced == evaluate(samples, protocols=dict(mine="no_camera"))[0]
    with pytest.raises(ValueError, match="no query that could be answered"):
        evaluate(samples, meta=meta, protocols=dict(mine=dict(type="camera")))
    assert announced == evaluate(samples, protocols=dict(type="camera", use_cameras=False))[0]


def test_rerank_auto_is_off_for_large_sets(monkeypatch):
    samples = make_set()
    assert "people/rerank/mAP" in evaluate(samples, rerank="auto")[0]
    monkeypatch.setattr("mmreid_ext.evaluation.retrieval.settings.AUTO_RERANK_LIMIT", len(samples))
    assert "people/rerank/mAP" not in evaluate(samples, rerank="auto")[0]
    with pytest.raises(ValueError, match="k3"):
        evaluate(samples, rerank=dict(k3=1))


def test_nan_embedding_names_the_image():
    samples = make_set()
    samples[5]["pred_embedding"][2] = float("nan")
    with pytest.raises(ValueError, match="1 of 28 embeddings.*ü5.png"):
        evaluate(samples)


def test_missing_field_names_the_remedy():
    broken = {key: value for key, value in make_set()[0].items() if key != "camid"}
    with pytest.raises(ValueError, match=r"\['camid'\].*meta_keys"):
        ReIDMetric().process(None, [broken])
    with pytest.raises(ValueError, match="'train'"):
        ReIDMetric().process(None, [dict(make_set()[0], role="train")])


def test_saved_features_hold_everything(tmp_path):
    samples = make_set()
    evaluate(samples, save_features=str(tmp_path / "new" / "feats"))
    images, _ = load_features(tmp_path / "new" / "feats.npz")
    assert sorted(images.names) == sorted(s["img_path"] for s in samples)
    by_name = {s["img_path"]: s for s in samples}
    for row, name in enumerate(images.names):
        assert torch.equal(images.feats[row], by_name[name]["pred_embedding"])
        assert (
            images.pids[row] == by_name[name]["pid"] and images.roles[row] == by_name[name]["role"]
        )


def test_runs_inside_mmengine_evaluator():
    samples = make_set()
    data_samples = []
    for s in samples:
        feat = s.pop("pred_embedding")
        data_samples.append(DataSample(metainfo=s))
        data_samples[-1].set_field(feat, "pred_embedding")
    evaluator = Evaluator(METRICS.build(dict(type="mmreid_ext.ReIDMetric", prefix="val")))
    evaluator.dataset_meta = dict(test_sets=dict(people=dict(protocol="camera")))
    evaluator.process(data_samples)
    assert "val/people/mAP" in evaluator.evaluate(len(samples))


def test_evaluation_imports_without_mmengine():
    code = "import sys, mmreid_ext.evaluation; sys.exit('mmengine' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code]).returncode == 0


# Several processes --------------------------------------------------------------------------


def run_rank(rank, world_size, samples, size, shares=None):
    """Evaluate as one rank of several; errors become text.

    By default what DefaultSampler(round_up=True) deals: every W-th image, the first ones repeated.
    """
    padded = samples + samples[: -len(samples) % world_size]
    mine = padded[rank::world_size] if shares is None else [*shares, []][rank]
    metric = ReIDMetric(rerank="auto")
    for start in range(0, len(mine), 3):
        metric.process(None, mine[start : start + 3])
    try:
        return json.dumps(metric.evaluate(size))
    except ValueError as error:
        return f"error: {error}"


def run_cases(rank, world_size, even, odd):
    no_match = [dict(s, camid=0) for s in odd]
    return {
        "even shares": run_rank(rank, world_size, even, len(even)),
        "padded shares": run_rank(rank, world_size, odd, len(odd)),
        "an empty rank": run_rank(rank, world_size, odd, len(odd), shares=[odd, []]),
        "uneven shares": run_rank(rank, world_size, odd, len(odd), shares=[odd[:40], odd[40:]]),
        "a wrong count": run_rank(rank, world_size, odd, len(odd) + 1, shares=[odd, odd]),
        "no valid query": run_rank(rank, world_size, no_match, len(odd)),
    }


@pytest.mark.parametrize("world_size", [2, 3])
def test_several_ranks_compute_what_one_computes(world_size):
    """With three, the last one gets no image where shares are given."""
    even = make_set("first", seed=3) + make_set("second", seed=4)
    odd = even[:-1]
    one = run_cases(0, 1, even, odd)
    one["uneven shares"] = one["padded shares"]
    assert "second/rerank/mAP" in one["padded shares"]
    one["a wrong count"] = one["a wrong count"].replace("55 processed", "110 processed")
    assert "no_camera" in one["no valid query"]
    for rank, results in enumerate(run_distributed(run_cases, world_size, even, odd)):
        for name, result in results.items():
            assert result == one[name], f"{name}, rank {rank}: equal to the last digit"
