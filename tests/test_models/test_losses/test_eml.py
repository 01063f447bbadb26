import math

import pytest
import torch

from mmreid_ext.models.losses import EMLLoss


def reference(feats, pids, beta=1e5, thresh=20.0):
    """The reference's two-branch formula, positives and negatives by label."""

    def exact(theta, bias):
        return (1 + beta * theta * math.e**bias).log() / math.log(1 + beta)

    def approximate(theta, bias):
        return (theta.log() + bias + math.log(beta)) / math.log(1 + beta)

    terms = []
    pids = pids.tolist()
    for i in range(len(feats)):
        distances = [((feats[i] - x) ** 2).sum() for x in feats]
        positives = [d for j, d in enumerate(distances) if pids[j] == pids[i] and j != i]
        negatives = [d for j, d in enumerate(distances) if pids[j] != pids[i]]
        if not positives or not negatives:
            continue
        far, near = max(positives), min(negatives)
        theta = sum((d - far).exp() for d in positives) / len(positives)
        theta = theta * sum((near - d).exp() for d in negatives) / len(negatives)
        bias = far - near
        low, high = bias.clamp(max=thresh), bias.clamp(min=thresh)
        limit = torch.tensor(thresh, dtype=feats.dtype)
        terms.append(exact(theta, low) + approximate(theta, high) - exact(theta, limit))
    return sum(terms) / len(terms) if terms else feats.sum() * 0


@pytest.mark.parametrize("scale", [0.3, 1.0, 3.0])  # 3: distances beyond the switch at 20
def test_matches_reference(make_feats, pids, scale):
    feats = make_feats(len(pids))
    value = EMLLoss()(feats * scale, pids)
    expected = reference(feats * scale, pids)
    # The reference's approximation is off by e^-20 * pairs / beta, about 1e-13.
    torch.testing.assert_close(value, expected, rtol=1e-10, atol=1e-11)
    grads = [torch.autograd.grad(v, feats)[0] for v in (value, expected)]
    torch.testing.assert_close(*grads, rtol=1e-7, atol=1e-9)


def test_equal_distances_give_one():
    """theta = 1 and b = 0: log(1 + beta) / log(1 + beta)."""
    feats = torch.eye(4, dtype=torch.float64)
    loss = EMLLoss()(feats, torch.tensor([0, 0, 1, 1]))
    assert loss.item() == pytest.approx(1)


def test_unnormalised_2048_d_features_do_not_overflow():
    feats = (30 * torch.rand(16, 2048)).requires_grad_()
    loss = EMLLoss()(feats, torch.arange(16) // 4)
    loss.backward()
    assert loss.isfinite()
    assert feats.grad.isfinite().all()


def test_beta_must_be_positive():
    with pytest.raises(ValueError, match="beta=.* must be positive"):
        EMLLoss(beta=0)
