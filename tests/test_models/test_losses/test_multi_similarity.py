import pytest
import torch

from mmreid_ext.models.losses import MultiSimilarityLoss


def oracle(feats, pids, keys, key_pids, threshold=0.5, margin=0.1, scale_p=2.0, scale_n=40.0):
    unit = feats / feats.norm(dim=1, keepdim=True)
    unit_keys = keys / keys.norm(dim=1, keepdim=True)
    total = feats.sum() * 0
    for x, pid in zip(unit, pids.tolist(), strict=True):
        pairs = [(x @ y, p) for y, p in zip(unit_keys, key_pids.tolist(), strict=True)]
        positives = [s for s, p in pairs if p == pid and s < 1 - 1e-5]
        negatives = [s for s, p in pairs if p != pid]
        if not positives or not negatives:
            continue
        kept_negatives = [s for s in negatives if s + margin > min(positives)]
        kept_positives = [s for s in positives if s - margin < max(negatives)]
        if not kept_positives or not kept_negatives:
            continue
        pull = sum((-scale_p * (s - threshold)).exp() for s in kept_positives)
        push = sum((scale_n * (s - threshold)).exp() for s in kept_negatives)
        total = total + (1 + pull).log() / scale_p + (1 + push).log() / scale_n
    return total / len(feats)


def check(value, expected, feats):
    torch.testing.assert_close(value, expected)
    grads = [torch.autograd.grad(v, feats)[0] for v in (value, expected)]
    torch.testing.assert_close(*grads, atol=1e-12, rtol=1e-7)


@pytest.mark.parametrize("margin", [0.1, 1.0])
def test_matches_loop_in_the_batch(make_feats, pids, margin):
    feats = make_feats(len(pids))
    value = MultiSimilarityLoss(mining_margin=margin)(feats, pids)
    check(value, oracle(feats, pids, feats, pids, margin=margin), feats)


def test_matches_loop_against_keys(make_feats, pids):
    feats, keys = make_feats(len(pids)), make_feats(7).detach()
    key_pids = torch.tensor([0, 1, 2, 2, 5, 3, 0])
    value = MultiSimilarityLoss()(feats, pids, keys, key_pids)
    check(value, oracle(feats, pids, keys, key_pids), feats)


def test_separated_identities_give_zero():
    feats = torch.tensor([[1.0, 0.0], [1.0, 0.1], [-1.0, 0.0], [-1.0, 0.1]], requires_grad=True)
    loss = MultiSimilarityLoss()(feats, torch.tensor([0, 0, 1, 1]))
    loss.backward()
    assert loss == 0
    assert (feats.grad == 0).all()


def test_large_scale_does_not_overflow():
    feats = torch.randn(8, 4, requires_grad=True)
    loss = MultiSimilarityLoss(negative_scale=1e4, positive_scale=1e4, mining_margin=2.0)
    value = loss(feats, torch.arange(8) // 2)
    value.backward()
    assert value.isfinite()
    assert feats.grad.isfinite().all()


def test_scales_must_be_positive():
    with pytest.raises(ValueError, match="_scale=0 must be positive"):
        MultiSimilarityLoss(positive_scale=0)
