"""Lists of queries: the metrics recomputed from them are the evaluator's."""

import numpy as np
import pytest
from helpers.ranking_oracle import problem

from mmreid_ext.evaluation import EmbeddingSet, evaluate_set
from mmreid_ext.evaluation.retrieval.settings import RERANK_DEFAULTS
from mmreid_ext.protocols import Labels, build_protocol
from mmreid_ext.visualization.exported_lists.query_lists import (
    is_unjudged,
    query_lists,
    unjudged_split,
)


@pytest.fixture(scope="module")
def images():
    query, gallery, qp, gp, qc, gc = problem(queries=40, gallery=200)
    roles = ["query"] * len(qp) + ["gallery"] * len(gp)
    pids = np.concatenate([qp, gp])
    names = [f"{row}.jpg" for row in range(len(roles))]
    feats = np.concatenate([query.numpy(), gallery.numpy()])
    camids = np.concatenate([qc, gc])
    return EmbeddingSet(feats, pids, camids, roles, ["set"] * len(roles), names, pids == 0)


def lists_of(images, protocol, **options):
    split = next(iter(protocol.splits(images)))
    return list(query_lists(images, split, Labels.of(images, split), None, **options))


@pytest.mark.parametrize("protocol", ["camera", "no_camera", "self_retrieval", "multi_query"])
@pytest.mark.parametrize("distance", ["cosine", "euclidean"])
def test_metrics_of_whole_lists_are_those_of_the_table(images, protocol, distance):
    protocol = build_protocol(protocol)
    scores = evaluate_set(images, protocol, rerank=None, distance=distance).plain
    aps, first = metrics(images, lists_of(images, protocol, distance=distance))
    assert np.allclose(np.mean(aps), scores.mAP, rtol=1e-12)
    assert np.mean(np.array(first) == 1) == pytest.approx(scores.cmc[0], rel=1e-12)


def test_re_ranked_lists_are_those_of_the_re_ranked_row(images):
    protocol, settings = build_protocol("camera"), dict(RERANK_DEFAULTS, k1=8)
    scores = evaluate_set(images, protocol, rerank=settings).reranked
    lists = lists_of(images, protocol, rerank=settings)
    aps, first = metrics(images, lists)
    assert np.allclose(np.mean(aps), scores.mAP, rtol=1e-12)
    assert np.mean(np.array(first) == 1) == pytest.approx(scores.cmc[0], rel=1e-12)
    assert all((np.diff(found.scores) >= 0).all() for found in lists), "distances rise"


def metrics(images, lists):
    """AP and rank of the first match of every query that has one, by a loop."""
    aps, first = [], []
    for found in lists:
        real = ~images.distractors[found.rows]
        hits = np.flatnonzero((images.pids[found.rows] == images.pids[found.query]) & real) + 1
        assert len(hits) == found.num_matches
        if len(hits):
            aps.append(np.mean(np.arange(1, len(hits) + 1) / hits))
            first.append(hits[0])
    return aps, first


def test_short_lists_are_the_beginning_of_whole_ones(images):
    split = next(iter(build_protocol("camera").splits(images)))
    labels = Labels.of(images, split)
    whole = list(query_lists(images, split, labels, None))
    for short, full in zip(query_lists(images, split, labels, 3), whole, strict=True):
        assert np.array_equal(short.rows, full.rows[:3])
        assert np.allclose(short.scores, full.scores[:3], rtol=0, atol=1e-12)
        assert not (images.pids[full.rows] == -1).any(), "junk is in no list"
    assert len(whole) == len(split.query), "queries without a match have a list, too"


def unlabelled(images, roles):
    none = np.full(len(images), -1)
    return EmbeddingSet(images.feats, none, none, roles, images.datasets, images.names)


def test_without_labels_everybody_meets_all_others(images):
    plain = unlabelled(images, ["gallery"] * len(images))
    assert is_unjudged(plain) and not is_unjudged(images)
    feats = images.feats.double().numpy()
    feats /= np.linalg.norm(feats, axis=1, keepdims=True)
    scores = feats @ feats.T
    np.fill_diagonal(scores, -2)
    for found in query_lists(plain, *unjudged_split(plain), 4):
        assert found.rows.tolist() == np.argsort(-scores[found.query])[:4].tolist()
        assert np.allclose(found.scores, scores[found.query, found.rows], rtol=0, atol=1e-6)


def test_without_labels_queries_meet_the_gallery(images):
    plain = unlabelled(images, images.roles)
    lists = list(query_lists(plain, *unjudged_split(plain), 5))
    assert [found.query for found in lists] == np.flatnonzero(images.roles == "query").tolist()
    assert all((images.roles[found.rows] == "gallery").all() for found in lists)
    assert all(found.num_matches == found.num_removed == 0 for found in lists)
