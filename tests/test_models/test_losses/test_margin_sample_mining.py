import pytest
import torch

from mmreid_ext.models.losses import MarginSampleMiningLoss


def oracle(feats, pids, margin):
    unit = feats / feats.norm(dim=1, keepdim=True)
    positives, negatives = [], []
    for i in range(len(feats)):
        for j in range(len(feats)):
            squared = ((unit[i] - unit[j]) ** 2).sum()
            if i != j:
                (positives if pids[i] == pids[j] else negatives).append(squared)
    if not positives or not negatives:
        return feats.sum() * 0
    return (torch.stack(positives).max() - torch.stack(negatives).min() + margin).clamp(min=0)


@pytest.mark.parametrize("margin", [0.1, 2.0])
def test_matches_loop(make_feats, pids, margin):
    feats = make_feats(len(pids))
    value, expected = MarginSampleMiningLoss(margin)(feats, pids), oracle(feats, pids, margin)
    torch.testing.assert_close(value, expected)
    grads = [torch.autograd.grad(v, feats)[0] for v in (value, expected)]
    torch.testing.assert_close(*grads)


def test_four_unit_vectors_by_hand():
    feats = torch.tensor([[1.0, 0.0], [0.0, 2.0], [-3.0, 0.0], [-1.0, 0.0]])
    # Farthest positive: |(1,0) - (0,1)|^2 = 2; nearest negative: |(0,1) - (-1,0)|^2 = 2.
    loss = MarginSampleMiningLoss(0.1)(feats, torch.tensor([0, 0, 1, 1]))
    assert loss.item() == pytest.approx(0.1)


def test_no_positive_pair_gives_zero_even_when_negatives_touch():
    feats = torch.ones(3, 2, requires_grad=True)
    loss = MarginSampleMiningLoss(0.1)(feats, torch.tensor([0, 1, 2]))
    loss.backward()
    assert loss == 0
    assert (feats.grad == 0).all()
