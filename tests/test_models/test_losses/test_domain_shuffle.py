import math

import pytest
import torch

from mmreid_ext.models.losses import DomainShuffleLoss

# (identities, domains)
CASES = {
    "two_domains": ([0, 0, 1, 1, 2, 2, 3, 3], [0, 0, 0, 0, 1, 1, 1, 1]),
    "uneven": ([0, 1, 1, 2, 3, 3, 4], [5, 5, 5, 2, 2, 2, 9]),
    "one_domain": ([0, 0, 1, 2], [1, 1, 1, 1]),
    "identity_in_two_domains": ([0, 0, 1, 0, 1, 1], [0, 1, 0, 1, 1, 0]),
    "no_negative_at_all": ([0, 0, 1, 1], [0, 0, 1, 1]),
}


def gaps_of(feats, pids, domains):
    pids, domains = pids.tolist(), domains.tolist()
    gaps = []
    for i in range(len(feats)):
        distances = [((feats[i] - x) ** 2).sum().clamp(min=1e-12).sqrt() for x in feats]
        rows = range(len(feats))
        positives = [distances[j] for j in rows if j == i or domains[j] != domains[i]]
        negatives = [distances[j] for j in rows if domains[j] == domains[i] and pids[j] != pids[i]]
        if negatives:
            gaps.append(max(positives) - min(negatives))
    return gaps


def oracle(feats, pids, domains):
    terms = [(1 + gap.exp()).log() for gap in gaps_of(feats, pids, domains)]
    return sum(terms) / len(terms) if terms else feats.sum() * 0


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_matches_loop(make_feats, case):
    pids, domains = (torch.tensor(labels) for labels in case)
    feats = make_feats(len(pids))
    value, expected = DomainShuffleLoss()(feats, pids, domains), oracle(feats, pids, domains)
    torch.testing.assert_close(value, expected)
    grads = [torch.autograd.grad(v, feats)[0] for v in (value, expected)]
    torch.testing.assert_close(*grads)


def test_three_samples_by_hand():
    """Domains (a, a, b), ids (1, 2, 3): sample 3 has no negative, the others have one term each."""
    feats = torch.tensor([[0.0], [1.0], [3.0]])
    loss = DomainShuffleLoss()(feats, torch.tensor([1, 2, 3]), torch.tensor([0, 0, 1]))
    first, second = math.log1p(math.exp(3 - 1)), math.log1p(math.exp(2 - 1))
    assert loss.item() == pytest.approx((first + second) / 2)


@pytest.mark.parametrize(("scale", "overflows"), [(88.0, False), (89.5, True)])
def test_overflow_turns_the_whole_loss_into_a_hinge(scale, overflows):
    # Gaps of 1, scale and scale: exp overflows float32 above 88.72.
    feats = torch.tensor([[0.0], [1.0], [1.0 + scale]], requires_grad=True)
    pids, domains = torch.tensor([0, 1, 2]), torch.tensor([0, 0, 1])
    loss = DomainShuffleLoss()(feats, pids, domains)
    loss.backward()
    gaps = torch.stack(gaps_of(feats.detach(), pids, domains))
    hinge = (gaps + 0.3).clamp(min=0).mean().item()
    soft = torch.nn.functional.softplus(gaps).mean().item()
    assert loss.item() == pytest.approx(hinge if overflows else soft, abs=1e-4)
    assert abs(hinge - soft) > 0.1  # else the two cases could not be told apart
    assert feats.grad.isfinite().all()


def test_lone_identity_leaves_the_mean():
    """A domain with one identity adds no anchors, but its samples are positives of the others."""
    feats = torch.tensor([[0.0], [1.0], [4.0], [4.5]])
    loss = DomainShuffleLoss()(feats, torch.tensor([0, 1, 2, 2]), torch.tensor([0, 0, 1, 1]))
    expected = (math.log1p(math.exp(4.5 - 1)) + math.log1p(math.exp(3.5 - 1))) / 2
    assert loss.item() == pytest.approx(expected)


def test_overflow_of_an_anchor_left_out_does_not_matter():
    """The lone third sample has a far positive (200 away), but no negative and no say."""
    feats = torch.tensor([[0.0], [200.0], [0.0]])
    loss = DomainShuffleLoss()(feats, torch.tensor([0, 1, 2]), torch.tensor([0, 0, 1]))
    assert loss.item() == pytest.approx(math.log(2) / 2)  # gaps -200 and 0, soft; the hinge: 0.15
