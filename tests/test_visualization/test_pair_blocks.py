"""Pairs for pictures: the evaluator's scores, rules and units, block by block."""

import numpy as np
import pytest
import torch

from mmreid_ext.visualization import pair_blocks
from mmreid_ext.visualization.pair_blocks import PairBlocks


def plain_distances(people, distance):
    query, gallery = (x.astype(np.float64) for x in people.arrays[:2])
    gallery = gallery[people.arrays[3] != -1]
    if distance == "euclidean":
        return np.linalg.norm(query[:, None] - gallery, axis=2)
    query /= np.linalg.norm(query, axis=1, keepdims=True)
    return 1 - query @ (gallery / np.linalg.norm(gallery, axis=1, keepdims=True)).T


@pytest.mark.parametrize("distance", ["cosine", "euclidean"])
def test_distances_have_the_units_of_the_features(people, distance):
    pairs = PairBlocks(*people.arrays, distance=distance)
    rows = torch.arange(len(people.query_paths))
    expected = plain_distances(people, distance)
    for exact, error in ((True, 1e-7), (False, 1e-5)):
        found = pairs.to_distance(pairs.scores(rows, exact=exact)).numpy()
        np.testing.assert_allclose(found, expected, atol=error)
    assert expected.max() <= pairs.max_distance


def test_blocks_hold_every_query_once_and_change_no_score(people, monkeypatch):
    whole = PairBlocks(*people.arrays)
    rows = torch.arange(len(people.query_paths))
    assert [part.tolist() for part in whole.split()] == [rows.tolist()]
    scores = whole.scores(rows)
    monkeypatch.setattr(pair_blocks, "_BLOCK_PAIRS", 5 * len(whole.gallery_rows))
    monkeypatch.setattr(pair_blocks, "_GALLERY_TILE", 7)
    parts = list(whole.split())
    assert max(map(len, parts)) == 5 and torch.cat(parts).tolist() == rows.tolist()
    torch.testing.assert_close(torch.cat([whole.scores(part) for part in parts]), scores)
    assert [part.tolist() for part in whole.split(np.array([4, 2]))] == [[4, 2]]


def test_masks_follow_the_camera_rule(people):
    pairs = PairBlocks(*people.arrays)
    _, _, query_pids, gallery_pids, query_camids, gallery_camids = people.arrays
    kept = gallery_pids != -1
    assert pairs.gallery_rows.tolist() == np.flatnonzero(kept).tolist()
    rows = torch.arange(len(query_pids))
    same = query_pids[:, None] == gallery_pids[kept]
    camera = query_camids[:, None] == gallery_camids[kept]
    assert (pairs.same_identity(rows).numpy() == same).all()
    assert (pairs.removed(rows).numpy() == (same & camera)).all()
    assert (pairs.matches(rows).numpy() == (same & ~camera)).all()
    assert pairs.count(pairs.matches, np.array([3, 1])).tolist() == [
        (same & ~camera)[row].sum() for row in (3, 1)
    ]
    assert not PairBlocks(*people.arrays[:4]).removed(rows).any()


def test_equal_embeddings_have_an_axis(people):
    zeros = [np.zeros_like(x) for x in people.arrays[:2]]
    pairs = PairBlocks(*zeros, *people.arrays[2:], distance="euclidean")
    assert pairs.max_distance > 0


def test_what_cannot_be_compared_is_refused(people):
    with pytest.raises(ValueError, match=r"distance='l2' is unknown; use one of \['cosine'"):
        PairBlocks(*people.arrays, distance="l2")
    query, gallery, query_pids, gallery_pids = people.arrays[:4]
    with pytest.raises(ValueError, match="gallery are empty.* All 48 gallery images are junk"):
        PairBlocks(query, gallery, query_pids, np.full_like(gallery_pids, -1))
    with pytest.raises(ValueError, match="queries are empty"):
        PairBlocks(query[:0], gallery, query_pids[:0], gallery_pids)
