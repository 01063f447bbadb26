"""Folders of features: the same figures as from memory, and nothing that a stranger could do."""

import json
import os
import subprocess
import sys

import numpy as np
import pytest
import torch

from mmreid_ext.errors import UserError
from mmreid_ext.evaluation import EmbeddingSet, load_features, save_features
from mmreid_ext.evaluation.evaluate_sets import evaluate_sets
from mmreid_ext.evaluation.from_disk import feature_folder
from mmreid_ext.evaluation.from_disk.disk_features import DiskFeatures
from mmreid_ext.evaluation.results.report import results_document


def people(count=600, dim=24, seed=0):
    rng = np.random.default_rng(seed)
    pids = rng.integers(0, 60, count)
    pids[rng.random(count) < 0.05] = -1
    feats = rng.standard_normal((60, dim))[pids] + rng.standard_normal((count, dim))
    roles = np.where(rng.random(count) < 0.2, "query", "gallery")
    return EmbeddingSet(
        feats=torch.from_numpy(feats.astype(np.float32)),
        pids=pids,
        camids=rng.integers(0, 4, count),
        roles=roles,
        datasets=np.where(np.arange(count) < 2 * count // 3, "one", "two"),
        names=[f"pictures/ä{number}.jpg" for number in range(count)],
        distractors=rng.random(count) < 0.05,
    )


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.setattr(feature_folder, "_PART_BYTES", 10_000)
    monkeypatch.setattr("mmreid_ext.evaluation.results.features_file._ROWS_AT_ONCE", 50)
    path = tmp_path / "set.features"
    assert save_features(path, people(), protocols='{"one": "camera"}') == path
    return path


def test_round_trip_in_parts(folder):
    assert len(list(folder.glob("feats_1_*.npy"))) == 4
    expected = people()
    for in_memory in (True, False):
        found, notes = load_features(folder, in_memory=in_memory)
        assert isinstance(found.feats, DiskFeatures) is not in_memory
        assert torch.equal(found.feats[:], expected.feats)
        for field in ("pids", "camids", "roles", "datasets", "names", "distractors"):
            assert getattr(found, field).tolist() == getattr(expected, field).tolist()
        assert notes == {"protocols": '{"one": "camera"}'}


OPTIONS = {
    "cosine": {},
    "euclidean": dict(distance="euclidean"),
    "re-ranking": dict(rerank=dict(k1=8, k2=3, lambda_value=0.3)),
    "query expansion": dict(query_expansion=dict(num_neighbors=3)),
    "open set": dict(open_set=True),
    "every image a query": dict(protocols={None: "self_retrieval"}),
    "as a shop": dict(protocols={None: "in_shop"}),
    "as a shop, expansion": dict(
        protocols={None: "in_shop"}, query_expansion=dict(num_neighbors=3)
    ),
}


@pytest.mark.parametrize("options", OPTIONS.values(), ids=OPTIONS)
@pytest.mark.parametrize("budget", [None, 2**17], ids=["large tiles", "small tiles"])
def test_figures_are_those_from_memory_to_the_last_bit(folder, monkeypatch, options, budget):
    if budget:
        for module in ("similarity", "query_expansion"):
            name = f"mmreid_ext.evaluation.retrieval.{module}.default_budget"
            monkeypatch.setattr(name, lambda *_: budget)
        monkeypatch.setattr("mmreid_ext.evaluation.split_ranking._QUERY_BYTES", 0)
    found = []
    for in_memory in (True, False):
        images, _ = load_features(folder, in_memory=in_memory)
        results, _ = evaluate_sets(images, **options)
        document = results_document(results, embeddings=images)
        for test_set in document["test_sets"].values():
            test_set.pop("seconds")
        found.append(json.dumps(document, default=lambda value: np.asarray(value).tolist()))
    assert found[0] == found[1] and "mAP" in found[0]


WITHOUT_NMI = {
    "re-ranking, an embedding is zero": dict(protocols={None: "in_shop"}, rerank=dict(k1=8, k2=3)),
    "every image a query": dict(protocols={None: "self_retrieval"}),
    "a shop": dict(protocols={None: "in_shop"}, open_set=True),
    "a shop, expansion": dict(protocols={None: "in_shop"}, query_expansion=dict(num_neighbors=3)),
}


@pytest.mark.parametrize("options", WITHOUT_NMI.values(), ids=WITHOUT_NMI)
def test_nothing_is_read_as_a_whole(folder, monkeypatch, options):
    for module in ("split_ranking", "retrieval.embedding_metrics"):
        monkeypatch.setattr(f"mmreid_ext.evaluation.{module}.NMI_LIMIT", 0)
    monkeypatch.setattr("mmreid_ext.evaluation.split_ranking._QUERY_BYTES", 0)
    monkeypatch.setattr("mmreid_ext.evaluation.retrieval.embedding_metrics._TILE", 7)
    monkeypatch.setattr("mmreid_ext.evaluation.retrieval.verification.open_set._SCORES", 2000)
    part = np.load(folder / "feats_1_2.npy")
    part[3] = 0
    np.save(folder / "feats_1_2.npy", part)
    found = []
    for in_memory in (True, False):
        images, _ = load_features(folder, in_memory=in_memory)
        if not in_memory:
            monkeypatch.setattr(DiskFeatures, "load", None)
        results, _ = evaluate_sets(images, **dict(rerank=None) | options)
        found.append({n: (r.extras, r.open_set, r.reranked) for n, r in results.items()})
    assert repr(found[0]) == repr(found[1])  # with NaN, which equals nothing
    assert {*found[0]["one"][0]} == {"R-precision", "MAP@R"}


def test_clustering_of_many_is_refused_before_anything_is_ranked(folder, monkeypatch):
    monkeypatch.setattr("mmreid_ext.evaluation.retrieval.embedding_metrics.NMI_LIMIT", 100)
    monkeypatch.setattr("mmreid_ext.evaluation.evaluate_sets.evaluate_set", None)
    images, _ = load_features(folder, in_memory=False)
    protocols = {None: dict(type="SelfRetrievalProtocol", nmi=True)}
    with pytest.raises(UserError, match="NMI: nmi=True for 400 embeddings on disk.*nmi=False"):
        evaluate_sets(images, protocols)


def test_what_is_the_same_for_all_takes_no_file(tmp_path):
    images = people(12)
    images.roles, images.datasets = np.full(12, "gallery"), np.full(12, "shop")
    save_features(tmp_path / "a.features", images)
    index = json.loads((tmp_path / "a.features" / "features.json").read_text())
    assert index["columns"]["roles"] == {"constant": "gallery"}
    found, _ = load_features(tmp_path / "a.features", in_memory=False)
    assert found.datasets.tolist() == ["shop"] * 12 and found.datasets.strides == (0,)


def test_a_second_writing_replaces_the_first_when_it_is_whole(folder):
    before = sorted(os.listdir(folder))

    def broken(feats):
        yield feats[:100].numpy()
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        feature_folder.write_feature_folder(folder, broken(people().feats), {}, {})
    assert len(load_features(folder)[0]) == 600 and set(before) <= set(os.listdir(folder))
    save_features(folder, people(30))
    assert len(load_features(folder)[0]) == 30
    assert not set(before) - {"features.json"} & set(os.listdir(folder))
    (folder / "diary.txt").write_text("dear")
    with pytest.raises(UserError, match="holds other files .diary.txt."):
        save_features(folder, people(30))


def change(folder, **values):
    index = json.loads((folder / "features.json").read_text())
    for key, value in values.items():
        index["columns" if key != "feats" else key] = (
            value if key == "feats" else {**index["columns"], key: value}
        )
    (folder / "features.json").write_text(json.dumps(index))


WRONG = {
    "elsewhere": (dict(feats=["../x.npy"]), "must be an .npy file of the folder itself"),
    "absolute": (dict(feats=["/etc/x.npy"]), "must be an .npy file of the folder itself"),
    "number": (dict(feats=[3]), "names 3, must be an .npy file"),
    "control": (dict(feats=["\x1b[31m.npy"]), "must be an .npy file"),
    "link": (dict(feats=["link.npy"]), "is a link to another folder"),
    "none": (dict(feats=[]), "names 0 parts"),
    "many": (dict(feats=["feats_1_0.npy"] * 600), "names 600 parts"),
    "missing": (dict(feats=["no.npy"]), "no.npy can't be used"),
    "text": (dict(feats=["names_1.npy"]), "must be a 2-dimensional array of floats"),
    "width": (dict(feats=["feats_1_0.npy", "narrow.npy"]), "all parts must be of one model"),
    "objects": (dict(feats=["objects.npy"]), "Python objects"),
    "short": (dict(feats=["short.npy"]), "short.npy can't be used: its header says"),
    "fewer": (dict(pids={"file": "feats_1_0.npy"}), r"must be \(600,\)"),
    "huge": (dict(pids={"constant": 2**63}), "must be a text, a truth value or a 64-bit"),
    "null": (dict(pids={"constant": None}), "must be a text"),
    "float": (dict(pids={"constant": 1.5}), "must be a text"),
    "kind": (dict(pids=[1, 2]), "must have a 'file' or a 'constant'"),
    "unknown": (dict(pics={"constant": 1}), "the column pics is unknown"),
    "roles": (dict(roles={"constant": "spy"}), "roles must be 'query' or 'gallery'"),
    "long": (dict(names={"constant": "a" * 1_000_000}), "of 600 images would take 2.40 GB"),
    "half a letter": (dict(names={"constant": "\ud800"}), "names holds what is no text in row 0"),
    "types": (dict(pids={"constant": "x"}), "must be 1-dimensional integers"),
}


@pytest.mark.parametrize("values, words", WRONG.values(), ids=WRONG)
def test_folders_of_strangers_are_checked(folder, tmp_path, values, words):
    np.save(tmp_path / "secret.npy", np.zeros((3, 24), np.float32))
    (folder / "link.npy").symlink_to(tmp_path / "secret.npy")
    np.save(folder / "narrow.npy", np.zeros((3, 2), np.float32))
    np.save(folder / "objects.npy", np.array([{}]), allow_pickle=True)
    whole = (folder / "feats_1_0.npy").read_bytes()
    (folder / "short.npy").write_bytes(whole[:-1])
    change(folder, **values)
    with pytest.raises(UserError, match=words) as caught:
        load_features(folder, in_memory=False)
    assert "\n" not in str(caught.value) and "\x1b" not in str(caught.value)


@pytest.mark.parametrize("text", ["", "{}", "[" * 100_000, '{"format": 1}', "\xff"])
def test_other_indices_are_refused(folder, text):
    (folder / "features.json").write_bytes(text.encode("latin-1"))
    with pytest.raises(UserError, match="is no folder of features"):
        load_features(folder)


def test_rows_that_are_not_finite_are_named(folder):
    part = np.load(folder / "feats_1_2.npy")
    part[3, 1] = np.nan
    np.save(folder / "feats_1_2.npy", part)
    with pytest.raises(UserError, match="1 of 600 embeddings contain NaN.*ä303.jpg"):
        load_features(folder, in_memory=False)


MEASURE = """
import re, sys
from pathlib import Path
from mmreid_ext.evaluation.evaluate_sets import evaluate_sets
from mmreid_ext.evaluation.results.features_file import load_features
def peak():
    status = Path("/proc/self/status").read_text()
    return int(re.search(r"^VmHWM:\\s+(\\d+) kB", status, re.MULTILINE)[1]) // 1024
before = peak()
images, _ = load_features(sys.argv[1], in_memory=sys.argv[2] == "True")
results, _ = evaluate_sets(images, rerank=None)
print(peak() - before, results["big"].plain.mAP.hex())
"""


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="/proc is Linux's")
def test_a_gallery_of_100_megabytes_is_not_read_into_memory(tmp_path):
    count, dim = 104_000, 256
    rng = np.random.default_rng(0)
    blocks = (rng.standard_normal((4000, dim), dtype=np.float32) for _ in range(count // 4000))
    pids = np.arange(count) % 5000
    columns = dict(
        pids=pids,
        camids=np.arange(count) // 5000,
        roles=np.where(np.arange(count) < 64, "query", "gallery"),
        datasets=np.full(count, "big"),
        names=np.full(count, ""),
        distractors=np.zeros(count, dtype=bool),
    )
    path = tmp_path / "big.features"
    feature_folder.write_feature_folder(path, blocks, columns, {})
    found = {}
    for in_memory in (True, False):
        command = [sys.executable, "-c", MEASURE, str(path), str(in_memory)]
        done = subprocess.run(command, capture_output=True, text=True, timeout=300, check=True)
        found[in_memory] = done.stdout.split()
    (in_all, figure), (on_disk, same) = found[True], found[False]
    assert same == figure
    assert int(on_disk) < int(in_all) - 50, found
