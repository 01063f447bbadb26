import pytest
import torch

from mmreid_ext.models.losses import TripletMarginLoss


def oracle(feats, pids, margin):
    unit = feats / feats.norm(dim=1, keepdim=True)
    terms = []
    rows = range(len(feats))
    for a in rows:
        for p in rows:
            for n in rows:
                if a != p and pids[a] == pids[p] and pids[a] != pids[n]:
                    near, far = ((unit[a] - unit[p]) ** 2).sum(), ((unit[a] - unit[n]) ** 2).sum()
                    terms.append((near - far + margin).clamp(min=0))
    return sum(terms) / len(terms) if terms else feats.sum() * 0


@pytest.mark.parametrize("margin", [0.0, 0.1, 5.0])  # 5: every triplet active
def test_matches_loop(make_feats, pids, margin):
    feats = make_feats(len(pids))
    value, expected = TripletMarginLoss(margin)(feats, pids), oracle(feats, pids, margin)
    torch.testing.assert_close(value, expected)
    grads = [torch.autograd.grad(v, feats)[0] for v in (value, expected)]
    torch.testing.assert_close(*grads, atol=1e-12, rtol=1e-7)


def test_single_triplet_by_hand():
    """(a, p, n) and its twin (p, a, n): squared distances 2, then 4 and 2."""
    feats = torch.tensor([[1.0, 0.0], [0.0, 5.0], [-2.0, 0.0]])
    loss = TripletMarginLoss(0.1)(feats, torch.tensor([0, 0, 1]))
    assert loss.item() == pytest.approx((0.0 + 0.1) / 2)
