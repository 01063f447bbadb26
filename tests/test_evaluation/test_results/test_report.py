import hashlib
import json
from types import SimpleNamespace

import numpy as np
import pytest
import torch

from mmreid_ext.evaluation import (
    EmbeddingSet,
    evaluate_set,
    format_table,
    read_results,
    results_document,
    write_results,
)
from mmreid_ext.evaluation.results.report import flat_metrics


@pytest.fixture
def results():
    # The second query has no match: its AP is missing.
    radians = np.radians([0, 90, 5, 10, 40])
    feats = torch.tensor(np.stack([np.cos(radians), np.sin(radians)], axis=1))
    images = EmbeddingSet(
        feats, [1, 2, 3, 1, 1], [0, 0, 1, 1, 1], ["query"] * 2 + ["gallery"] * 3, ["ours"] * 5,
        ["q0", "q1", "g0", "g1", "g2"],
    )  # fmt: skip
    return {"ours": evaluate_set(images, rerank=dict(k1=2, k2=1))}


def test_table_shows_both_rows_and_percent(results):
    lines = format_table(results).splitlines()
    assert "percent" in lines[0]
    assert lines[1].split() == [
        "test",
        "set",
        "queries",
        "gallery",
        "mAP",
        "mINP",
        "R1",
        "R5",
        "R10",
        "R20",
    ]
    # Matches at ranks 2 and 3: AP = (1/2 + 2/3) / 2, INP = 2/3.
    assert lines[3].split() == [
        "ours",
        "1/2",
        "3",
        "58.33",
        "66.67",
        "0.00",
        "100.00",
        "100.00",
        "100.00",
    ]
    assert lines[4].startswith("ours (re-ranked)")


def test_deviation_is_shown(results):
    results["ours"].plain.std["mAP"] = 0.0123
    assert "58.33 ± 1.23" in format_table(results)


def test_document_holds_everything_and_survives_json(results, tmp_path):
    checkpoint = tmp_path / "best.pth"
    checkpoint.write_bytes(b"weights")
    document = results_document(results, dict(flip=True), checkpoint)
    path = write_results(tmp_path / "new" / "r.json", document)
    found = read_results(path)
    assert found["metrics"] == pytest.approx(flat_metrics(results))
    assert found["metrics"]["ours/mAP"] == pytest.approx(100 * (1 / 2 + 2 / 3) / 2)
    assert found["settings"] == {"flip": True}
    assert found["checkpoint"] == {
        "file": "best.pth",
        "sha256": hashlib.sha256(b"weights").hexdigest(),
    }
    assert {"python", "torch", "numpy"} <= set(found["versions"])
    ours = found["test_sets"]["ours"]
    assert ours["queries"] == {"name": ["q0", "q1"], "pid": [1, 2], "camid": [0, 0]}
    assert ours["plain"]["ap"] == [pytest.approx(7 / 12), None], "NaN is null, not invalid JSON"
    assert ours["plain"]["cmc"][:2] == [0, 1] and ours["plain"]["num_valid_queries"] == 1
    assert ours["rerank"]["settings"] == dict(k1=2, k2=1, lambda_value=0.3)
    assert ours["protocol"]["type"] == "CameraProtocol"
    assert "NaN" not in path.read_text()


def test_other_files_are_refused(tmp_path):
    path = tmp_path / "x.json"
    path.write_text("{")
    with pytest.raises(ValueError, match="not JSON"):
        read_results(path)
    path.write_text(json.dumps({"format": "other"}))
    with pytest.raises(ValueError, match="not a results file.*--out"):
        read_results(path)


def table(root="/data/ours", repeats=1, **changes):
    """Three identities in two cameras, ``repeats`` gallery images each."""
    rng = np.random.default_rng(0)
    pids = np.concatenate([[1, 2, 3], np.repeat([1, 2, 3], repeats)])
    columns = dict(
        feats=torch.tensor(rng.normal(size=(len(pids), 4))),
        pids=pids,
        camids=(np.arange(len(pids)) >= 3).astype(int),
        roles=np.where(np.arange(len(pids)) < 3, "query", "gallery"),
        datasets=np.full(len(pids), "ours"),
        names=np.array([f"{root}/{'query' if i < 3 else 'gallery'}/{i}.jpg" for i in range(99)])[
            : len(pids)
        ],
    )
    return EmbeddingSet(**columns | changes)


def written(images, **more):
    found = {"ours": evaluate_set(images, rerank=None)}
    return results_document(found, embeddings=images, **more)


def test_names_have_no_local_folders_and_data_have_a_fingerprint(tmp_path):
    document = written(table(), settings=dict(data_root="/home/me/data", config="c.py"))
    path = write_results(tmp_path / "r.json", document)
    assert "/home" not in path.read_text() and "/data/ours" not in path.read_text()
    assert document["test_sets"]["ours"]["queries"]["name"][0] == "query/0.jpg"
    assert document["settings"] == dict(data_root=".../data", config="c.py")
    moved = written(table("/else/where"))
    assert moved["test_sets"]["ours"]["data"] == document["test_sets"]["ours"]["data"]
    other = written(table(repeats=2))["test_sets"]["ours"]["data"]
    assert other["gallery"] != document["test_sets"]["ours"]["data"]["gallery"]
    assert other["query"] == document["test_sets"]["ours"]["data"]["query"]
    order = np.array([2, 0, 1, 5, 4, 3])
    shuffled = written(table().take(order))["test_sets"]["ours"]["data"]
    assert [shuffled[role] for role in ("query", "gallery")] == [
        document["test_sets"]["ours"]["data"][role] for role in ("query", "gallery")
    ]


def test_versions_name_what_decodes_and_resizes_images():
    found = set(written(table())["versions"])
    assert {"Pillow", "torchvision"} <= found
    assert any(name.startswith("opencv") for name in found)


def test_names_of_people_are_written():
    queries = written(table(), pid_names={"ours": {1: "alice", 9: "nobody"}})["test_sets"]["ours"]
    assert queries["queries"]["pid_names"] == {1: "alice"}


@pytest.mark.parametrize(
    "protocol", ["camera", "self_retrieval", dict(type="single_gallery_shot", repeats=5)]
)
def test_weighted_means_of_queries_are_the_figures_of_the_table(protocol):
    """Trials with other numbers of answerable queries included: one number for one thing."""
    images = table(repeats=4, camids=np.array([0, 1, 2] + [0, 0, 1, 2] * 3))
    scores = evaluate_set(images, protocol, rerank=None).plain
    assert scores.weights.sum() == pytest.approx(1)
    known = np.isfinite(scores.ap)
    for values, expected in ((scores.ap, scores.mAP), (scores.top1, scores.cmc[0])):
        assert np.dot(scores.weights[known], values[known]) == pytest.approx(expected)


def test_comparison_shows_the_numbers_of_the_table():
    from mmreid_ext.evaluation.results.comparison import compare
    from mmreid_ext.evaluation.trials import TrialAverager
    from mmreid_ext.protocols import Split, build_protocol

    rng = np.random.default_rng(0)
    averager = TrialAverager(build_protocol(dict(type="single_gallery_shot", repeats=3)), 50)
    for trial, count in enumerate((2, 3, 5)):  # as PRID2011: other queries in every trial
        rows = rng.permutation(6)[:count]
        ap = rng.uniform(0.1, 1, count)
        ap[0] = np.nan if trial == 2 else ap[0]
        result = SimpleNamespace(
            ap=ap, inp=ap, first_hit=rng.integers(1, 4, count), tpr_at_fpr={0.01: 0.5},
            roc=np.zeros((2, 2)), threshold_at_fpr={0.01: 0.4}, num_negatives=100,
        )  # fmt: skip
        averager.add(Split(rows, rows, trial), result)
    scores = averager.scores()
    assert np.nanmean(scores.ap) != pytest.approx(scores.mAP), "means over queries are others"
    queries = dict(
        name=[f"{i}.jpg" for i in range(len(scores.ap))],
        pid=list(range(len(scores.ap))),
        camid=[0] * len(scores.ap),
        weight=scores.weights,
    )
    plain = dict(ap=scores.ap, top1=scores.top1)
    run = dict(test_sets=dict(ours=dict(protocol={}, queries=queries, plain=plain, rerank=None)))
    for found, table_value in zip(
        compare([run], [run])["ours"]["plain"], (scores.mAP, scores.cmc[0]), strict=True
    ):
        assert found.a == found.b == pytest.approx(100 * table_value)
