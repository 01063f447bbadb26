import sys

import numpy as np
import pytest
import torch

from mmreid_ext.evaluation.retrieval import embedding_metrics as module
from mmreid_ext.evaluation.retrieval.embedding_metrics import (
    embedding_metrics,
    normalized_mutual_information,
)


def oracle(feats, pids, distance, is_query=None):
    """R-precision and MAP@R by sorting one query at a time, wrong answers first in a tie."""
    feats = feats.double().numpy()
    if distance == "cosine":
        feats = feats / np.linalg.norm(feats, axis=1, keepdims=True)
    r_precision, map_at_r = [], []
    for query in range(len(feats)) if is_query is None else np.flatnonzero(is_query):
        others = [i for i in range(len(feats)) if i != query]
        if is_query is not None:
            others = [i for i in others if not is_query[i]]
        # rounded, so that equal pictures tie whatever the rounding of their distance
        far = [round(float(((feats[i] - feats[query]) ** 2).sum()), 9) for i in others]
        answers = sorted(zip(far, (pids[i] == pids[query] for i in others), strict=True))
        total = sum(hit for _, hit in answers)
        if total:
            hits = [hit for _, hit in answers[:total]]
            r_precision.append(sum(hits) / total)
            map_at_r.append(
                sum(h * sum(hits[: k + 1]) / (k + 1) for k, h in enumerate(hits)) / total
            )
    return np.mean(r_precision), np.mean(map_at_r)


def data(duplicates=0, seed=0):
    generator = torch.Generator().manual_seed(seed)
    pids = np.random.default_rng(seed).integers(0, 12, size=90)  # sizes differ, some may be alone
    feats = torch.randn(12, 5, generator=generator)[pids] + torch.randn(90, 5, generator=generator)
    if duplicates:  # equal pictures under different identities
        feats[:duplicates] = feats[-duplicates:]
    return feats, np.append(pids[:-1], 99)


@pytest.mark.parametrize("distance", ["cosine", "euclidean"])
@pytest.mark.parametrize("duplicates", [0, 20])
@pytest.mark.parametrize("chunk_size", [7, 256])
def test_equals_sorting(distance, duplicates, chunk_size):
    feats, pids = data(duplicates)
    found = embedding_metrics(feats, pids, distance=distance, chunk_size=chunk_size, nmi=False)
    expected = oracle(feats, pids, distance)
    assert (found["R-precision"], found["MAP@R"]) == pytest.approx(expected, abs=1e-12)


@pytest.mark.parametrize("distance", ["cosine", "euclidean"])
@pytest.mark.parametrize("duplicates", [0, 20])
def test_queries_against_a_gallery_equal_sorting(distance, duplicates):
    feats, pids = data(duplicates)
    is_query = np.random.default_rng(1).random(len(pids)) < 0.3
    found = embedding_metrics(feats, pids, is_query, distance=distance, chunk_size=7, nmi=False)
    expected = oracle(feats, pids, distance, is_query)
    assert (found["R-precision"], found["MAP@R"]) == pytest.approx(expected, abs=1e-12)


def test_worked_example():
    """On a line, identity 0 at 0, 1, 3 and 4, one stranger at 2; all by hand, R = 3."""
    places = torch.tensor([[0.0], [1.01], [3.0], [4.02], [2.0]])
    found = embedding_metrics(places, np.array([0, 0, 0, 0, 1]), distance="euclidean", nmi=False)
    # Query 0 sees (1.01 hit, 2 no, 3 hit); 1.01 sees (2 no, 0 hit, 3 hit); 3 sees (2 no, 4.02 hit,
    # 1.01 hit); 4.02 sees (3 hit, 2 no, 1.01 hit). The stranger is no query.
    assert found["R-precision"] == pytest.approx(2 / 3)
    assert found["MAP@R"] == pytest.approx((2 * (1 + 2 / 3) + 2 * (1 / 2 + 2 / 3)) / 3 / 4)


def test_perfect_and_hopeless_embeddings():
    pids = np.repeat([3, 5, 9], 4)
    perfect = torch.eye(3)[np.repeat([0, 1, 2], 4)]
    assert embedding_metrics(perfect, pids) == pytest.approx(
        {"R-precision": 1.0, "MAP@R": 1.0, "NMI": 1.0}
    )
    equal = torch.ones(12, 3)  # everything ties with everything: wrong answers come first
    found = embedding_metrics(equal, pids, nmi=False)
    assert found == {"R-precision": 0.0, "MAP@R": 0.0}


def test_nmi_of_known_clusters():
    # Two far clusters, each half identity 0 and half identity 1: no information.
    feats = torch.tensor([[0.0, 0], [0, 0.1], [9, 9], [9, 9.1]])
    assert normalized_mutual_information(feats, np.array([0, 1, 0, 1])) == pytest.approx(
        0, abs=1e-9
    )
    assert normalized_mutual_information(feats, np.array([0, 0, 1, 1])) == pytest.approx(1)


def test_nmi_is_left_out_of_large_sets(monkeypatch):
    feats, pids = data()
    monkeypatch.setattr("mmreid_ext.evaluation.retrieval.embedding_metrics.NMI_LIMIT", 50)
    assert "NMI" not in embedding_metrics(feats, pids)
    assert "NMI" in embedding_metrics(feats, pids, nmi=True)


def test_without_scikit_learn(monkeypatch):
    monkeypatch.setitem(sys.modules, "sklearn.cluster", None)
    monkeypatch.setattr(module, "find_spec", lambda name: None)
    with pytest.warns(UserWarning, match="NMI is left out: `pip install scikit-learn`"):
        assert set(embedding_metrics(*data())) == {"R-precision", "MAP@R"}
    with pytest.raises(ImportError, match="nmi=False in the protocol"):
        embedding_metrics(*data(), nmi=True)


def test_nothing_to_find():
    with pytest.raises(ValueError, match="None of the 3 images"):
        embedding_metrics(torch.eye(3), np.arange(3))
    with pytest.raises(ValueError, match="'manhattan'"):
        embedding_metrics(torch.eye(3), np.zeros(3), distance="manhattan")


@pytest.mark.parametrize("alone", [True, False], ids=["self", "gallery"])
def test_a_zero_embedding_has_cosine_zero(alone):
    feats, pids = data()
    feats[[4, 40, 41]] = 0.0
    is_query = None if alone else np.arange(len(pids)) < 30
    # the same with a direction of its own for each zero, at cosine 0 with everything
    own = torch.zeros(len(feats), 3)
    own[[4, 40, 41], [0, 1, 2]] = 1.0
    apart = embedding_metrics(torch.cat([feats, own], 1), pids, is_query, nmi=False)
    assert embedding_metrics(feats, pids, is_query, nmi=False) == pytest.approx(apart, abs=1e-12)


def test_nmi_clusters_what_is_compared():
    feats, pids = data()
    lengths = torch.linspace(0.1, 30, len(feats))[:, None]
    plain = embedding_metrics(feats, pids)
    assert embedding_metrics(feats * lengths, pids)["NMI"] == pytest.approx(plain["NMI"], abs=1e-6)
    feats[7] = 0.0
    sphere = module.on_sphere(feats)
    np.testing.assert_allclose(np.linalg.norm(sphere, axis=1), 1, atol=1e-6)
    assert sphere.shape == (len(feats), 6) and not (sphere @ sphere[7])[np.arange(90) != 7].any()


def test_an_outlier_changes_no_other_metric():
    feats, pids = data()
    far = torch.cat([feats, torch.full((1, 5), 1e7)])
    plain = embedding_metrics(feats, pids, nmi=False, distance="euclidean")
    with pytest.warns(UserWarning, match="1 of 91 rows"):
        found = embedding_metrics(far, np.append(pids, 500), nmi=False, distance="euclidean")
    assert found == pytest.approx(plain, abs=1e-12)
