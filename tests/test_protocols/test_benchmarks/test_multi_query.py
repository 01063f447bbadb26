"""Multi-query against a slow loop: the mean of a person's pictures in a camera is the query."""

import numpy as np
import pytest
import torch
from helpers.protocol_images import image_set

from mmreid_ext.engine.kept_thresholds import found_thresholds
from mmreid_ext.evaluation import evaluate_set
from mmreid_ext.evaluation.results.tables.similarities import format_thresholds
from mmreid_ext.protocols import build_protocol


def pictures(seed=0, people=6, cameras=3, lengths=True):
    """Two to four queries of everybody in every camera, mixed; a gallery with distractors."""
    rng = np.random.default_rng(seed)
    rows = [
        (p, c, role)
        for p in range(people)
        for c in range(cameras)
        for role in ["query"] * (2 + (p + c) % 3) + ["gallery"] * 2
    ] + [(90, 0, "gallery"), (91, 1, "gallery"), (-1, 0, "gallery"), (0, -1, "gallery")]
    rows = [rows[i] for i in rng.permutation(len(rows))]
    pids, camids, roles = (list(column) for column in zip(*rows, strict=True))
    feats = rng.normal(size=(92, 5))[pids] + 1.2 * rng.normal(size=(len(rows), 5))
    if lengths:  # long embeddings must not count more
        feats *= rng.uniform(0.1, 10, size=(len(rows), 1))
    return image_set(pids, camids, roles, torch.tensor(feats))


def slow_scores(images, distance, with_gallery=False):
    """Loop over identities, cameras and pictures: (R1, mAP), and how many were asked."""
    feats = images.feats.double().numpy()
    unit = feats / np.linalg.norm(feats, axis=1, keepdims=True)
    gallery = [i for i, role in enumerate(images.roles) if role == "gallery"]
    found = []
    for pid in range(6):
        for cam in range(3):
            pool = [
                (unit if distance == "cosine" else feats)[i]
                for i in range(len(images))
                if (images.pids[i], images.camids[i]) == (pid, cam)
                and (images.roles[i] == "query" or with_gallery)
            ]
            query = sum(pool) / len(pool)
            scored = []
            for i in gallery:
                same = images.pids[i] == pid
                if images.pids[i] == -1 or (same and images.camids[i] in (cam, -1)):
                    continue
                near = query @ unit[i] if distance == "cosine" else -np.sum((query - feats[i]) ** 2)
                scored.append((-near, same))
            hits = [k for k, (_, same) in enumerate(sorted(scored), 1) if same]
            found.append((hits[0] == 1, np.mean([n / k for n, k in enumerate(hits, 1)])))
    return np.mean(found, axis=0), len(found)


@pytest.mark.parametrize("distance", ["cosine", "euclidean"])
@pytest.mark.parametrize("with_gallery", [False, True])
def test_scores_are_those_of_a_slow_loop(distance, with_gallery):
    images = pictures()
    protocol = dict(type="multi_query", with_gallery=with_gallery)
    result = evaluate_set(images, protocol, rerank=None, distance=distance)
    (r1, mean_ap), asked = slow_scores(images, distance, with_gallery)
    assert result.num_queries == asked == 18
    # a query is a mean in float32, so its scores are good to 1e-7; no two ranks are that close
    assert result.plain.cmc[0] == pytest.approx(r1, rel=1e-12)
    assert result.plain.mAP == pytest.approx(mean_ap, rel=1e-12)
    assert not np.isclose(r1, evaluate_set(images, rerank=None, distance=distance).plain.cmc[0])


def test_one_picture_each_is_the_camera_protocol():
    images = pictures()
    keys = [f"{p} {c}" if r == "query" else str(i) for i, (p, c, r) in enumerate(columns(images))]
    _, rows = np.unique(keys, return_index=True)
    images = images.take(np.sort(rows))
    single, pooled = (
        evaluate_set(images, p, rerank=dict(k1=3, k2=2)) for p in (None, "multi_query")
    )
    assert single.metrics() == pooled.metrics()
    np.testing.assert_array_equal(single.query_names, pooled.query_names)


def columns(images):
    return list(zip(images.pids, images.camids, images.roles, strict=True))


def test_groups_stand_in_the_order_of_their_first_query():
    images = pictures()
    (split,) = build_protocol(dict(type="multi_query", with_gallery=True)).splits(images)
    assert split.query.tolist() == sorted(split.query) == [pool[0] for pool in split.pools]
    for row, pool in zip(split.query, split.pools, strict=True):
        assert images.roles[row] == "query"
        assert {columns(images)[i][:2] for i in pool} == {columns(images)[row][:2]}
        assert len(pool) > (images.roles[pool] == "query").sum()
    assert np.unique(np.concatenate(split.pools)).size == sum(map(len, split.pools))
    assert build_protocol("multi_query").describe() == {
        "type": "MultiQueryProtocol",
        "with_gallery": False,
        "ranks": (1, 5, 10, 20),
    }


def test_no_similarity_of_means_becomes_a_threshold_of_pairs():
    images = pictures()
    single, pooled = (evaluate_set(images, p, rerank=None) for p in ("camera", "multi_query"))
    assert single.operating_points() and not pooled.operating_points()
    assert found_thresholds({"single": single, "pooled": pooled}) == found_thresholds({"": single})
    table = format_thresholds({"one": single, "many": pooled})
    assert "one" in table and "many" not in table


def test_expansion_reranking_and_strangers_ask_with_the_mean():
    images = pictures(people=8, lengths=False)
    (split,) = build_protocol("multi_query").splits(images)
    norms = torch.nn.functional.normalize(images.feats.double())
    means = torch.stack([norms[rows].mean(0) for rows in split.pools]).float()
    gallery = split.gallery
    pooled = image_set(
        [*images.pids[split.query], *images.pids[gallery]],
        [*images.camids[split.query], *images.camids[gallery]],
        ["query"] * len(means) + ["gallery"] * len(gallery),
        torch.cat([means, images.feats[gallery]]),
    )
    for options in (
        dict(rerank=dict(k1=4, k2=2)),
        dict(rerank=None, query_expansion=dict(num_neighbors=2)),
        dict(rerank=None, open_set=True),
    ):
        asked = evaluate_set(images, "multi_query", **options).metrics()
        np.testing.assert_equal(asked, evaluate_set(pooled, "camera", **options).metrics())
    assert asked["open_set/DIR@FPR=10%"] > 0  # at 1 %, too few strangers: NaN
