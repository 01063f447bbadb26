import pytest
import torch

from mmreid_ext.models.losses import DomainScatterLoss

DOMAINS = {"two": [0, 1, 0, 1, 1], "one": [3, 3, 3], "alone": [2, 0, 1], "odd": [-1, 9, 9, -1, 40]}


def oracle(feats, domains, eps):
    unit = feats / (feats.norm(dim=1, keepdim=True) + 1e-12)
    per_domain = []
    for domain in sorted(set(domains.tolist())):
        rows = unit[domains == domain]
        centre = rows.mean(0)
        cosines = [(centre @ f) / (centre.norm() * f.norm() + eps) for f in rows]
        per_domain.append(sum(cosines) / len(cosines))
    return sum(per_domain) / len(per_domain)


@pytest.mark.parametrize("eps", [0.0, 1e-8, 0.5])  # 0.5 shows where eps belongs
@pytest.mark.parametrize("domains", DOMAINS.values(), ids=DOMAINS)
def test_matches_loop(make_feats, domains, eps):
    domains = torch.tensor(domains)
    feats = make_feats(len(domains))
    value, expected = DomainScatterLoss(eps)(feats, domains), oracle(feats, domains, eps)
    torch.testing.assert_close(value, expected)
    grads = [torch.autograd.grad(v, feats)[0] for v in (value, expected)]
    torch.testing.assert_close(*grads)


def test_identical_features_give_one():
    loss = DomainScatterLoss()(torch.ones(6, 4), torch.tensor([0, 0, 1, 1, 1, 2]))
    assert loss.item() == pytest.approx(1)


@pytest.mark.parametrize("eps", [0.0, 1e-8])
def test_opposite_features_give_zero_and_no_nan(eps):
    feats = torch.tensor([[1.0, 0.0], [-1.0, 0.0]], requires_grad=True)
    loss = DomainScatterLoss(eps)(feats, torch.tensor([0, 0]))
    (grad,) = torch.autograd.grad(loss, feats, create_graph=True)
    assert loss == 0
    assert (grad == 0).all()
    second = torch.autograd.grad(grad.sum(), feats, allow_unused=True)[0]
    assert second is None or second.isfinite().all()


def test_zero_feature_counts_as_cosine_zero():
    feats = torch.tensor([[0.0, 0.0], [1.0, 0.0]], requires_grad=True)
    loss = DomainScatterLoss()(feats, torch.tensor([0, 0]))
    loss.backward()
    assert loss.item() == pytest.approx(0.5)  # the mean of cos(m, 0) := 0 and cos(m, f) = 1
    assert feats.grad.isfinite().all()


def test_negative_eps_is_refused():
    with pytest.raises(ValueError, match="eps=.* must be at least 0"):
        DomainScatterLoss(eps=-1e-8)
