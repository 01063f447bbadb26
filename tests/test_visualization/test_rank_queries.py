from __future__ import annotations

import numpy as np
import pytest
import torch

from mmreid_ext.evaluation import evaluate_retrieval, k_reciprocal_rerank
from mmreid_ext.visualization import rank_queries


def slow_list(distances, query, arrays, topk):
    """One list by a loop: junk and same camera out, ties after the other identities."""
    _, _, query_pids, gallery_pids, query_camids, gallery_camids = arrays
    entries = []
    for row, pid in enumerate(gallery_pids):
        same = pid == query_pids[query]
        if pid == -1 or (same and gallery_camids[row] == query_camids[query]):
            continue
        entries.append((float(distances[query, row]), bool(same), row))
    return sorted(entries)[:topk]


def cosine_distances(arrays):
    query, gallery = (x.astype(np.float64) for x in arrays[:2])
    query /= np.linalg.norm(query, axis=1, keepdims=True)
    gallery /= np.linalg.norm(gallery, axis=1, keepdims=True)
    return 1 - query @ gallery.T


@pytest.mark.parametrize("distance", ["cosine", "euclidean"])
def test_lists_equal_a_plain_loop(people, distance):
    ranked = rank_queries(*people.arrays, distance=distance, topk=7, limit=None)
    query, gallery = (torch.from_numpy(x).double() for x in people.arrays[:2])
    plain = cosine_distances(people.arrays)
    if distance == "euclidean":
        plain = torch.cdist(query, gallery).numpy()
    found = ranked.lists[0]
    for place, row in enumerate(ranked.queries):
        expected = slow_list(plain, row, people.arrays, 7)
        assert found.indices[place].tolist() == [entry[2] for entry in expected]
        assert found.matches[place].tolist() == [entry[1] for entry in expected]
        # features are float32: their products differ from float64 copies by rounding only
        np.testing.assert_allclose(found.distances[place], [e[0] for e in expected], atol=1e-6)


def test_scores_and_order_are_the_evaluators(people):
    result = evaluate_retrieval(*people.arrays, max_rank=50)
    ranked = rank_queries(*people.arrays, topk=5, limit=6)
    worst = np.argsort(result.ap, kind="stable")[:6]
    assert ranked.queries.tolist() == worst.tolist()
    found = ranked.lists[0]
    np.testing.assert_array_equal(found.ap, result.ap[worst])
    assert (np.diff(found.ap) >= 0).all() and len(found.all_ap) == len(people.query_paths)
    assert found.scores["mAP"] == result.mAP and found.scores["R5"] == result.cmc[4]
    assert found.first_match.tolist() == result.first_hit[worst].tolist()


def test_first_match_of_the_score_stands_in_the_list(people):
    ranked = rank_queries(*people.arrays, topk=40, limit=None, rerank=True)
    for entry in ranked.lists:
        assert (entry.matches.argmax(axis=1) + 1).tolist() == entry.first_match.tolist()


def test_reranked_lists_follow_the_reranked_distances(people):
    settings = {"k1": 6, "k2": 3, "lambda_value": 0.2}
    ranked = rank_queries(*people.arrays, topk=5, limit=None, rerank=settings)
    kept = people.arrays[3] != -1  # junk takes no part in the re-ranking
    distances = np.full((len(people.query_paths), len(kept)), np.inf)
    distances[:, kept] = k_reciprocal_rerank(
        people.arrays[0], people.arrays[1][kept], **settings
    ).numpy()
    found = ranked.lists[1]
    for place, row in enumerate(ranked.queries):
        expected = slow_list(distances, row, people.arrays, 5)
        # equal re-ranked distances may stand in another order: float32 here, float64 there
        got = distances[row, found.indices[place]]
        np.testing.assert_allclose(got, [entry[0] for entry in expected], atol=1e-6)
    score = evaluate_retrieval(*people.arrays, rerank=settings)
    assert found.scores["mAP"] == score.mAP
    assert "k1 6" in found.distance and [x.name for x in ranked.lists] == ["Original", "Re-ranked"]


def test_removed_images_are_counted_and_not_listed(people):
    ranked = rank_queries(*people.arrays, topk=60, limit=None)
    _, _, query_pids, gallery_pids, query_camids, gallery_camids = people.arrays
    assert ranked.num_junk == 2
    for place, row in enumerate(ranked.queries):
        same = gallery_pids == query_pids[row]
        camera = gallery_camids == query_camids[row]
        assert ranked.num_removed[place] == (same & camera).sum()
        assert ranked.num_matches[place] == (same & ~camera).sum()
        listed = ranked.lists[0].indices[place]
        shown = listed[listed >= 0]
        assert set(shown) == set(np.flatnonzero((gallery_pids != -1) & ~(same & camera)))
        assert np.isnan(ranked.lists[0].distances[place, len(shown) :]).all()


def test_a_tied_match_comes_after_the_others():
    feats = np.tile(np.float32([[0.3, 0.4, 0.1]]), (6, 1))
    pids = np.array([5, 1, 5, 2, 3, 4])
    ranked = rank_queries(feats[:1], feats, pids[:1], pids, topk=3)
    assert ranked.lists[0].matches.tolist() == [[False, False, False]]
    assert ranked.lists[0].indices.tolist() == [[1, 3, 4]]
    assert ranked.lists[0].first_match.tolist() == [5]


def test_blocks_change_nothing(people, monkeypatch):
    whole = rank_queries(*people.arrays, limit=None, rerank=True)
    monkeypatch.setattr("mmreid_ext.visualization.pair_blocks._BLOCK_PAIRS", 100)
    monkeypatch.setattr("mmreid_ext.visualization.pair_blocks._GALLERY_TILE", 7)
    blocked = rank_queries(*people.arrays, limit=None, rerank=True)
    for one, other in zip(whole.lists, blocked.lists, strict=True):
        np.testing.assert_allclose(one.distances, other.distances, atol=1e-7)
        np.testing.assert_array_equal(one.matches, other.matches)


def test_without_cameras_nothing_is_removed(people):
    ranked = rank_queries(*people.arrays[:4], limit=None)
    assert ranked.query_camids is None and not ranked.num_removed.any()


def test_clear_errors(people):
    with pytest.raises(ValueError, match="topk=0 must be at least 1"):
        rank_queries(*people.arrays, topk=0)
    with pytest.raises(ValueError, match="distance='l1' is unknown.*euclidean"):
        rank_queries(*people.arrays, distance="l1")
    strangers = (*people.arrays[:2], people.arrays[2] + 1000, *people.arrays[3:])
    with pytest.raises(ValueError, match="No query has a match"):
        rank_queries(*strangers)
    person = int(strangers[2][0])
    with pytest.raises(ValueError, match="queries: .*lea"):
        rank_queries(*strangers, pid_names={person: "lea"})
    broken = people.arrays[0].copy()
    broken[3, 0] = np.nan
    with pytest.raises(ValueError, match="NaN"):
        rank_queries(broken, *people.arrays[1:])
