"""Distractors stay distractors: from the reader's word through a file to every protocol."""

import json

import numpy as np
import pytest
from helpers.distractors import NOBODY, PROTOCOLS
from helpers.metric_samples import evaluate, make_set, sample
from helpers.tools import run_tool

from mmreid_ext.evaluation import load_features, read_results


def market_like():
    """Seven people, and eight images of nobody that look alike: one number, several cameras."""
    rng = np.random.default_rng(5)
    samples, centre = make_set(), rng.normal(size=8)
    for k in range(8):
        role = "query" if k == 0 else "gallery"
        feat = centre + 0.1 * rng.normal(size=8)
        samples.append(sample(len(samples), feat, NOBODY, k % 3, role))
    return samples


def announced(*distractors, protocol="camera"):
    return dict(test_sets=dict(people=dict(protocol=protocol, distractor_pids=list(distractors))))


def reevaluated(tmp_path, monkeypatch, meta, *arguments):
    """Metrics of tools/evaluate.py on the features that the metric saved."""
    features, out = tmp_path / "f.npz", tmp_path / "r.json"
    evaluate(market_like(), meta=meta, save_features=str(features), rerank=None)
    run_tool("evaluate", monkeypatch, features, "--no-rerank", "--out", out, *arguments)
    return read_results(out)["metrics"]


@pytest.fixture(autouse=True)
def scikit_learn():
    pytest.importorskip("sklearn")  # for NMI


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_a_file_gives_the_metrics_of_the_reader(protocol, tmp_path, monkeypatch):
    expected, _ = evaluate(market_like(), meta=announced(NOBODY, protocol=protocol), rerank=None)
    found = reevaluated(tmp_path, monkeypatch, announced(NOBODY), "--protocol", protocol)
    assert found == pytest.approx(expected)


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_nobody_is_found_only_where_nobody_is_announced(protocol, tmp_path, monkeypatch):
    meta = announced(protocol=protocol)
    unmarked, metric = evaluate(market_like(), meta=meta, rerank=None)
    people = metric.last_results["people"].plain.num_valid_queries
    marked, metric = evaluate(market_like(), meta=announced(NOBODY, protocol=protocol), rerank=None)
    assert metric.last_results["people"].plain.num_valid_queries < people
    assert unmarked["people/mAP"] > marked["people/mAP"], "the same eight faces are easy to find"


def test_the_file_marks_them_and_an_old_one_says_that_it_does_not(tmp_path, monkeypatch):
    reevaluated(tmp_path, monkeypatch, announced(NOBODY))
    images, _ = load_features(tmp_path / "f.npz")
    assert images.distractors.tolist() == (images.pids == NOBODY).tolist()

    with np.load(tmp_path / "f.npz") as archive:
        arrays = {key: archive[key] for key in archive.files if key != "distractors"}
    arrays["roles"][arrays["pids"] == NOBODY] = "gallery"
    np.savez(tmp_path / "old.npz", **arrays)
    with pytest.warns(UserWarning, match=r"old\.npz does not say which images are distractors"):
        images, _ = load_features(tmp_path / "old.npz")
    assert not images.distractors.any()


@pytest.mark.filterwarnings("error")
def test_an_old_file_of_people_who_are_all_asked_for_causes_no_word(tmp_path, monkeypatch):
    reevaluated(tmp_path, monkeypatch, announced())
    with np.load(tmp_path / "f.npz") as archive:
        arrays = {key: archive[key] for key in archive.files if key != "distractors"}
    one_image = np.flatnonzero(arrays["roles"] == "gallery")[0]
    arrays["pids"][one_image] = 12345  # one image can be paired with no other
    np.savez(tmp_path / "old.npz", **arrays)
    assert not load_features(tmp_path / "old.npz")[0].distractors.any()


def test_the_saved_protocol_is_the_readers(tmp_path, monkeypatch):
    expected, _ = evaluate(
        market_like(), meta=announced(NOBODY, protocol="self_retrieval"), rerank=None
    )
    meta = announced(NOBODY, protocol="self_retrieval")
    assert reevaluated(tmp_path, monkeypatch, meta) == pytest.approx(expected)
    _, notes = load_features(tmp_path / "f.npz")
    assert json.loads(notes["protocols"])["people"]["type"] == "SelfRetrievalProtocol"
