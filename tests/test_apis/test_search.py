"""The nearest images are those of a full sort, however the search is cut into blocks."""

import numpy as np
import pytest
import torch

from mmreid_ext.apis.search import nearest
from mmreid_ext.errors import UserError


def oracle(query, gallery, topk):
    """Every cosine in float64 by one pair at a time, and a stable full sort."""

    def cosine(a, b):
        lengths = np.sqrt((a * a).sum()) * np.sqrt((b * b).sum())
        return (a * b).sum() / lengths if lengths else 0.0

    query, gallery = (np.asarray(x, np.float64) for x in (query, gallery))
    scores = np.array([[cosine(q, g) for g in gallery] for q in query])
    scores = scores.reshape(len(query), len(gallery))
    order = np.argsort(-scores.round(13), axis=1, kind="stable")[:, :topk]
    return order, np.take_along_axis(scores, order, 1)


def features(count, seed, dim=6):
    return np.random.default_rng(seed).normal(size=(count, dim)).astype(np.float32)


@pytest.mark.parametrize("budget", [None, 1, 4000, 200_000])
@pytest.mark.parametrize("topk", [1, 7, 50, 99])
def test_the_lists_are_those_of_a_full_sort(topk, budget):
    query, gallery = features(9, 0), features(50, 1)
    gallery[[3, 20, 49]] = gallery[11]  # ties, all over the blocks
    gallery[5] = 0
    found = nearest(query, gallery, topk, memory_budget=budget)
    indices, similarities = oracle(query, gallery, topk)
    assert np.array_equal(found.indices, indices)
    np.testing.assert_allclose(found.similarities, similarities, atol=1e-13)
    assert found.indices.dtype == np.int64 and found.similarities.dtype == np.float64


def test_copies_tie_bit_for_bit_and_follow_in_order():
    """A product of matrices gives equal rows unequal sums at the edges of its blocks."""
    row = features(1, 2, dim=515)
    gallery = row.repeat(77, 0)
    for budget in (None, 1, 30_000):
        found = nearest(features(3, 3, dim=515), gallery, 60, memory_budget=budget)
        assert np.array_equal(found.indices, np.arange(60)[None].repeat(3, 0))
        assert (found.similarities == found.similarities[:, :1]).all()


@pytest.mark.parametrize("budget", [1, 5000, None])
def test_float32_decides_nothing(budget):
    """Scores 1e-9 apart, which float32 takes for equal, in the wrong order of index."""
    angles = 0.5 + 1e-9 * np.arange(40)
    gallery = np.stack([np.cos(angles), np.sin(angles)], 1)
    found = nearest(np.array([[0.0, 1.0]]), gallery, 5, memory_budget=budget)
    assert found.indices.tolist() == [[39, 38, 37, 36, 35]]
    near = features(1, 4, dim=512) + 1e-7 * features(300, 5, dim=512)  # rounding reorders them
    query = features(3, 6, dim=512)
    assert np.array_equal(nearest(query, near, 5).indices, oracle(query, near, 5)[0])


def test_tensors_and_half_precision_are_taken_and_only_read():
    query, gallery = (torch.from_numpy(features(n, n)).half() for n in (4, 30))
    before = gallery.clone()
    found = nearest(query, gallery, 3)
    assert np.array_equal(found.indices, oracle(query.numpy(), gallery.numpy(), 3)[0])
    assert torch.equal(gallery, before)


def test_nothing_to_find_and_nothing_to_ask():
    some, none = features(3, 0), features(0, 0)
    for query, gallery, shape in ((some, none, (3, 0)), (none, some, (0, 2)), (none, none, (0, 0))):
        found = nearest(query, gallery, 2)
        assert found.indices.shape == found.similarities.shape == shape


def test_what_cannot_be_searched_is_named():
    good = features(3, 0)
    for topk in (0, 1.5, "3"):
        with pytest.raises(UserError, match=f"topk={topk!r}"):
            nearest(good, good, topk)
    with pytest.raises(UserError, match="6 dimensions, gallery_feats 5"):
        nearest(good, good[:, :5])
    bad = good.copy()
    bad[1, 2] = np.nan
    with pytest.raises(UserError, match=r"gallery_feats: 1 of 3 rows hold NaN .*first: 1"):
        nearest(good, bad)


def test_progress_is_told():
    said = []
    nearest(features(5, 0), features(9, 1), memory_budget=1, progress=lambda *x: said.append(x))
    assert said == [("search", n, 5) for n in (1, 2, 3, 4, 5)]
