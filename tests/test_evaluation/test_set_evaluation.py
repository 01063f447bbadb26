import numpy as np
import pytest
import torch

from mmreid_ext.evaluation import EmbeddingSet, NoValidQueryError, evaluate_set, expand_queries
from mmreid_ext.evaluation.evaluate_sets import evaluate_sets
from mmreid_ext.evaluation.protocols import Split
from mmreid_ext.evaluation.set_evaluation import valid_queries


def random_set(count=60, seed=0, name="people"):
    rng = np.random.default_rng(seed)
    return EmbeddingSet(
        torch.tensor(rng.normal(size=(count, 4))),
        rng.integers(0, 12, count),
        rng.integers(0, 3, count),
        rng.choice(["query", "gallery"], count),
        [name] * count,
        [f"{i}.png" for i in range(count)],
    )


@pytest.mark.parametrize("cameras", [True, False])
def test_valid_queries_equal_the_definition(cameras):
    images = random_set()
    query, gallery = (np.flatnonzero(images.roles == role) for role in ("query", "gallery"))
    gallery = gallery[:10]  # few, so that some queries have no match
    columns = (images.camids[query], images.camids[gallery]) if cameras else (None, None)
    found = valid_queries(images, Split(query, gallery, 0, *columns))
    expected = [
        any(
            images.pids[g] == images.pids[q]
            and (not cameras or images.camids[g] != images.camids[q])
            for g in gallery
        )
        for q in query
    ]
    assert found.tolist() == expected
    assert 0 < sum(expected) < len(expected)


def test_empty_gallery_has_no_valid_query():
    images = random_set()
    assert not valid_queries(images, Split(np.arange(5), np.arange(0))).any()


def test_cmc_reaches_the_highest_reported_rank():
    result = evaluate_set(random_set(), dict(type="camera", ranks=[1, 70]), max_rank=5)
    assert len(result.plain.cmc) == 70 and result.metrics()["R70"] == 100


def test_rerank_settings_are_reported():
    result = evaluate_set(random_set(), rerank=dict(k1=4))
    assert result.rerank == dict(k1=4, k2=6, lambda_value=0.3)
    assert "rerank/mINP" in result.metrics()
    assert evaluate_set(random_set(), rerank=None).reranked is None


def test_per_query_scores_lie_beside_what_they_show():
    images = random_set()
    result = evaluate_set(images)
    query = np.flatnonzero(images.roles == "query")
    assert result.query_names.tolist() == images.names[query].tolist()
    assert np.nanmean(result.plain.ap) == pytest.approx(result.plain.mAP)
    assert np.nanmean(result.plain.top1) == pytest.approx(result.plain.cmc[0])
    assert np.isnan(result.plain.top1).tolist() == np.isnan(result.plain.ap).tolist()


def test_several_sets_under_their_protocols():
    first, second = random_set(name="first"), random_set(seed=1, name="second")
    both = EmbeddingSet(
        torch.cat([first.feats, second.feats]),
        *(
            np.concatenate([getattr(first, key), getattr(second, key)])
            for key in ("pids", "camids", "roles", "datasets", "names")
        ),
    )
    results, failures = evaluate_sets(both, {"second": "no_camera"}, rerank=None)
    assert not failures
    assert results["first"].metrics() == evaluate_set(first, rerank=None).metrics()
    assert results["second"].metrics() == evaluate_set(second, "no_camera", rerank=None).metrics()
    results, _ = evaluate_sets(both, {None: "no_camera"}, rerank=None)
    assert results["first"].metrics() == evaluate_set(first, "no_camera", rerank=None).metrics()


def test_no_valid_query_in_any_set():
    images = random_set()
    images.camids[:] = 0
    with pytest.raises(NoValidQueryError, match="query cameras \\[0\\].*no_camera"):
        evaluate_sets(images)


def test_rows_must_correspond():
    images = random_set()
    with pytest.raises(
        ValueError, match=r"camids must have one entry per embedding, shape \(60,\)"
    ):
        EmbeddingSet(images.feats, images.pids, [0], images.roles, images.datasets, images.names)
    with pytest.raises(ValueError, match=r"\(N, D\)"):
        EmbeddingSet(images.feats[0], *[images.pids] * 5)


def test_labels_and_roles_must_be_what_they_are_called():
    images = random_set()
    rest = (images.datasets, images.names)
    with pytest.raises(ValueError, match="pids must be integers, got float64"):
        EmbeddingSet(images.feats, images.pids + 0.5, images.camids, images.roles, *rest)
    with pytest.raises(ValueError, match=r"roles must be 'query' or 'gallery', got \['probe'\]"):
        EmbeddingSet(images.feats, images.pids, images.camids, ["probe"] * 60, *rest)


def test_query_expansion_ranks_expanded_queries():
    images = random_set()
    expanded = random_set()
    query, gallery = (np.flatnonzero(images.roles == role) for role in ("query", "gallery"))
    joined = expand_queries(images.feats[query], images.feats[gallery], num_neighbors=3, alpha=3)
    expanded.feats[query] = joined
    found = evaluate_set(images, query_expansion=dict(num_neighbors=3, alpha=3))
    assert found.metrics() == pytest.approx(evaluate_set(expanded).metrics())
    assert found.plain.mAP != evaluate_set(images).plain.mAP
    with pytest.raises(ValueError, match="needs distance='cosine'"):
        evaluate_set(images, "self_retrieval", query_expansion={})
    with pytest.raises(ValueError, match="'k'"):
        evaluate_set(images, query_expansion=dict(k=3))
