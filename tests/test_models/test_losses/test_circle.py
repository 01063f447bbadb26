import pytest
import torch

from mmreid_ext.models.losses import CircleLoss


def oracle(feats, pids, margin, scale):
    unit = feats / feats.norm(dim=1, keepdim=True)
    terms = []
    for i in range(len(feats)):
        pull, push = [], []
        for j in range(len(feats)):
            s = unit[i] @ unit[j]
            if j != i and pids[j] == pids[i]:
                weight = max(0.0, 1 + margin - s.item())
                pull.append((-scale * weight * (s - (1 - margin))).exp())
            elif pids[j] != pids[i]:
                weight = max(0.0, s.item() + margin)
                push.append((scale * weight * (s - margin)).exp())
        if pull and push:
            terms.append((1 + sum(pull) * sum(push)).log())
    return sum(terms) / len(terms) if terms else feats.sum() * 0


@pytest.mark.parametrize(("margin", "scale"), [(0.25, 16.0), (0.4, 64.0)])
def test_matches_loop(make_feats, pids, margin, scale):
    feats = make_feats(len(pids))
    value, expected = CircleLoss(margin, scale)(feats, pids), oracle(feats, pids, margin, scale)
    torch.testing.assert_close(value, expected)
    grads = [torch.autograd.grad(v, feats)[0] for v in (value, expected)]
    torch.testing.assert_close(*grads)


def test_optimum_is_nearly_zero_and_wrong_order_is_not():
    feats = torch.tensor([[1.0, 0.0], [1.0, 0.0], [-1.0, 0.0], [-1.0, 0.0]])
    right = CircleLoss()(feats, torch.tensor([0, 0, 1, 1]))
    wrong = CircleLoss()(feats, torch.tensor([0, 1, 0, 1]))
    assert right < 1e-3  # positives at 1, negatives at -1 (weight 0): e^(-128 / 16)
    assert wrong > 100


def test_scale_must_be_positive():
    with pytest.raises(ValueError, match="CircleLoss: scale=0 must be positive"):
        CircleLoss(scale=0)
