"""Query expansion against a loop over queries."""

import numpy as np
import pytest
import torch
from torch.nn.functional import normalize

from mmreid_ext.evaluation import expand_queries


def unit(x):
    return x / np.linalg.norm(x)


@pytest.mark.parametrize("budget", [None, 2_000])
@pytest.mark.parametrize("alpha", [0.0, 3.0])
def test_equals_the_loop(alpha, budget):
    rng = np.random.default_rng(0)
    query, gallery = rng.standard_normal((7, 5)), rng.standard_normal((90, 5))
    result = expand_queries(query, gallery, num_neighbors=4, alpha=alpha, memory_budget=budget)
    for q, got in zip(query, result.numpy(), strict=True):
        scores = np.array([unit(q) @ unit(g) for g in gallery])
        nearest = np.argsort(-scores)[:4]
        total = unit(q) + sum(max(scores[i], 0) ** alpha * unit(gallery[i]) for i in nearest)
        np.testing.assert_allclose(got, unit(total), atol=1e-6)


def test_a_small_gallery_is_used_whole():
    query, gallery = torch.eye(1, 2), torch.eye(2)
    expected = torch.tensor([[2.0, 1.0]]) / 5**0.5
    torch.testing.assert_close(expand_queries(query, gallery, num_neighbors=9), expected)


@pytest.mark.parametrize(
    ("gallery", "arguments", "message"),
    [
        (torch.ones(3, 2), {"num_neighbors": 0}, "num_neighbors=0"),
        (torch.ones(3, 2), {"alpha": -1.0}, "alpha=-1.0"),
        (torch.ones(0, 2), {}, "gallery_feats is empty"),
        (torch.ones(3, 5), {}, "2 dimensions, gallery_feats 5"),
    ],
)
def test_errors(gallery, arguments, message):
    with pytest.raises(ValueError, match=message):
        expand_queries(torch.ones(1, 2), gallery, **arguments)


def test_neighbours_at_equal_cosine_come_in_order_and_zero_has_cosine_zero():
    query = torch.tensor([[1.0, 0.0], [0.0, 0.0]])
    gallery = torch.tensor([[0.0, 0.0], [0.6, -0.8], [-1.0, 0.0], [3.0, 4.0], [6.0, 8.0]])
    for budget in (1, None):
        one = expand_queries(query, gallery, num_neighbors=1, memory_budget=budget)
        torch.testing.assert_close(one[0], normalize(torch.tensor([1.6, -0.8]), dim=0))
        three = expand_queries(query, gallery, num_neighbors=2, memory_budget=budget)
        torch.testing.assert_close(three[1], normalize(torch.tensor([0.6, -0.8]), dim=0))


def test_nan_is_named():
    with pytest.raises(ValueError, match="gallery_feats: 1 of 2 rows"):
        expand_queries(torch.ones(1, 2), torch.tensor([[1.0, 2.0], [float("nan"), 1.0]]))


def test_no_query_is_nothing_to_expand():
    assert expand_queries(torch.zeros(0, 3), torch.ones(4, 3)).shape == (0, 3)
