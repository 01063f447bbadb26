import sys
from dataclasses import fields, replace

import numpy as np
import pytest
import torch
from helpers.distributed import run_distributed

from mmreid_ext.evaluation import (
    EmbeddingSet,
    NoValidQueryError,
    evaluate_set,
    expand_queries,
)
from mmreid_ext.evaluation.evaluate_sets import evaluate_sets


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


@pytest.mark.parametrize("protocol", ["camera", "self_retrieval"])
def test_operating_points_say_what_was_compared(protocol):
    points = evaluate_set(random_set(), protocol, rerank=None).operating_points()
    assert {point["self_retrieval"] for point in points} == {protocol == "self_retrieval"}


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
    with pytest.raises(ValueError, match=r"roles must be 'query' or 'gallery', got 'probe'"):
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


def in_shop_set():
    """Two images of every identity, one of them a query, and a third of some as distraction."""
    rng = np.random.default_rng(3)
    pids = np.tile(np.arange(12), 3)
    roles = np.repeat(["query", "gallery", "gallery"], 12)
    feats = torch.tensor(rng.normal(size=(12, 6))[pids] + 1.2 * rng.normal(size=(36, 6))).float()
    names = [f"{i}.png" for i in range(36)]
    return EmbeddingSet(feats, pids, np.zeros(36, int), roles, ["shop"] * 36, names)


def test_query_expansion_comes_before_every_figure():
    images = in_shop_set()
    expansion = dict(num_neighbors=2)
    found = evaluate_set(images, "in_shop", rerank=None, query_expansion=expansion)
    feats = images.feats.clone()
    feats[:12] = expand_queries(feats[:12], feats[12:], **expansion)
    expanded = EmbeddingSet(*(getattr(images, f.name) for f in fields(images)))
    expanded = replace(expanded, feats=feats)
    expected = evaluate_set(expanded, "in_shop", rerank=None)
    assert found.metrics() == pytest.approx(expected.metrics())
    assert found.extras != evaluate_set(images, "in_shop", rerank=None).extras


@pytest.mark.parametrize("protocol", ["no_camera", "in_shop", "self_retrieval"])
def test_junk_is_no_match(protocol):
    """Where junk is all that a query would find, the set is reported as unanswerable."""
    pids, roles = [-1, -1, 1, 2], ["query", "gallery", "query", "gallery"]
    images = EmbeddingSet(torch.randn(4, 3), pids, [0] * 4, roles, ["a"] * 4, list("abcd"))
    with pytest.raises(NoValidQueryError):
        evaluate_set(images, protocol)


def without_scikit_learn(rank, world_size):
    sys.modules["sklearn.cluster"] = None
    try:
        evaluate_set(in_shop_set(), dict(type="in_shop", nmi=True), distributed=True)
    except ImportError as error:
        return str(error)


def test_an_error_of_the_first_rank_is_raised_on_all():
    first, second = run_distributed(without_scikit_learn, 2)
    assert first == second and "scikit-learn" in first
