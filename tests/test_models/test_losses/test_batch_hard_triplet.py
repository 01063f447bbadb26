import math

import pytest
import torch

from mmreid_ext.models.losses import BatchHardTripletLoss


def distance(x, y, kind):
    if kind == "cosine":
        return 1 - (x @ y) / (x.norm() * y.norm())
    squared = ((x - y) ** 2).sum()
    return squared if kind == "squared_euclidean" else squared.clamp(min=1e-12).sqrt()


def oracle(feats, pids, margin, kind, keys=None, key_pids=None):
    keys = feats if keys is None else keys
    key_pids = pids if key_pids is None else key_pids
    terms = []
    for x, pid in zip(feats, pids.tolist(), strict=True):
        pairs = [(distance(x, y, kind), p) for y, p in zip(keys, key_pids.tolist(), strict=True)]
        positives = [d for d, p in pairs if p == pid]
        negatives = [d for d, p in pairs if p != pid]
        if positives and negatives:
            gap = max(positives) - min(negatives)
            soft = (1 + gap.exp()).log()
            terms.append(soft if margin is None else (gap + margin).clamp(min=0))
    return sum(terms) / len(terms) if terms else feats.sum() * 0


@pytest.mark.parametrize("kind", ["euclidean", "squared_euclidean", "cosine"])
@pytest.mark.parametrize("margin", [0.3, 0.0, None], ids=["margin", "zero", "soft"])
def test_matches_loop(make_feats, pids, margin, kind):
    feats = make_feats(len(pids))
    value = BatchHardTripletLoss(margin, kind)(feats, pids)
    expected = oracle(feats, pids, margin, kind)
    torch.testing.assert_close(value, expected)
    (grad,) = torch.autograd.grad(value, feats)
    (expected_grad,) = torch.autograd.grad(expected, feats)
    # d_ii of a lone image is constant here; the loop's cosine leaves rounding noise instead.
    torch.testing.assert_close(grad, expected_grad, atol=1e-12, rtol=1e-7)


@pytest.mark.parametrize("kind", ["euclidean", "cosine"])
def test_matches_loop_against_keys(make_feats, pids, kind):
    feats = make_feats(len(pids))
    keys, key_pids = make_feats(5).detach(), torch.tensor([0, 1, 5, 9, 9])
    value = BatchHardTripletLoss(0.1, kind)(feats, pids, keys, key_pids)
    torch.testing.assert_close(value, oracle(feats, pids, 0.1, kind, keys, key_pids))


def test_hand_computed_line():
    feats = torch.tensor([[0.0], [1.0], [3.0], [3.5]])
    pids = torch.tensor([0, 0, 1, 1])
    # (positive, negative) distances: (1, 3), (1, 2), (.5, 2), (.5, 2.5)
    assert BatchHardTripletLoss(0.3)(feats, pids) == 0
    assert BatchHardTripletLoss(1.8)(feats, pids) == pytest.approx((0.0 + 0.8 + 0.3 + 0.0) / 4)


def test_lone_image_is_an_anchor_at_distance_zero():
    feats = torch.tensor([[0.0], [0.1]], requires_grad=True)
    loss = BatchHardTripletLoss(0.3)(feats, torch.tensor([0, 1]))
    assert loss.item() == pytest.approx(0.3 - 0.1, abs=2e-6)  # 1e-6 is the distance to itself
    loss.backward()
    assert feats.grad.flatten().tolist() == pytest.approx([1.0, -1.0])


def test_collapsed_features_give_the_margin():
    loss = BatchHardTripletLoss(0.3)(torch.ones(4, 3), torch.tensor([0, 0, 1, 1]))
    assert loss.item() == pytest.approx(0.3)
    soft = BatchHardTripletLoss(None)(torch.ones(4, 3), torch.tensor([0, 0, 1, 1]))
    assert soft.item() == pytest.approx(math.log(2))


def test_soft_margin_does_not_overflow():
    feats = torch.tensor([[0.0], [500.0], [0.5], [600.0]], requires_grad=True)
    loss = BatchHardTripletLoss(None)(feats, torch.tensor([0, 0, 1, 1]))
    loss.backward()
    # Gaps 499.5, 400, 599, 499.5: log(1 + e^x) is x up to rounding.
    assert loss.item() == pytest.approx((499.5 + 400 + 599 + 499.5) / 4)
    assert feats.grad.isfinite().all()


def test_large_common_offset_does_not_spoil_mining():
    """Without centring, |x|^2 ~ 1e8 leaves squared distances of ~10 with errors of that size."""
    generator = torch.Generator().manual_seed(0)
    feats = torch.randn(16, 8, generator=generator)
    pids = torch.arange(16) // 4
    near = BatchHardTripletLoss(0.3)(feats.double(), pids)
    far = BatchHardTripletLoss(0.3)(feats + 4096, pids)
    assert far.item() == pytest.approx(near.item(), abs=2e-3)  # float32 spacing at 4096 is 5e-4


def test_normalize_feats_makes_scale_irrelevant(make_feats):
    feats, pids = make_feats(8), torch.arange(8) // 2
    loss = BatchHardTripletLoss(0.1, "squared_euclidean", normalize_feats=True)
    scales = torch.arange(1, 9, dtype=torch.float64)[:, None]
    torch.testing.assert_close(loss(feats, pids), loss(feats * scales, pids))


def test_errors():
    with pytest.raises(ValueError, match="distance='manhattan' must be one of"):
        BatchHardTripletLoss(distance="manhattan")
    with pytest.raises(ValueError, match="margin=-1 must be at least 0"):
        BatchHardTripletLoss(margin=-1)
    feats, pids = torch.randn(4, 3), torch.tensor([0, 0, 1, 1])
    with pytest.raises(ValueError, match="give both or neither"):
        BatchHardTripletLoss()(feats, pids, feats)
    with pytest.raises(ValueError, match="key_feats have dimension 2, feats 3"):
        BatchHardTripletLoss()(feats, pids, torch.randn(4, 2), pids)
