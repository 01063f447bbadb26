"""Losses by name: their arguments, weights, precision and the one gather they share."""

import pytest
import torch
from torch import nn

from mmreid_ext.models import ReIDFeatures, ReIDHead
from mmreid_ext.models.heads import reid_head

DIM, CLASSES = 64, 500


class DomainSum(nn.Module):
    def forward(self, feats, domains):
        return feats.sum() * domains.sum()


class TwoTerms(nn.Module):
    def forward(self, logits, pids, not_available=None):
        assert not_available is None
        return {"loss_a": logits.sum(), "loss_b": pids.sum().float()}


LOSSES = dict(
    ce=dict(type="mmreid_ext.LabelSmoothingLoss"),
    domain=dict(type=DomainSum, loss_weight=0.5),
    two=dict(type=TwoTerms, loss_weight=3),
)


class Head(ReIDHead):
    def __init__(self, **options):
        super().__init__(**{**dict(losses=LOSSES), **options})
        torch.manual_seed(0)
        self.classifier = nn.Linear(DIM, CLASSES)

    def forward(self, feats):
        return ReIDFeatures(feats, feats, self.classifier(feats))

    def embed(self, feats):
        return feats


def feats(num_rows=6):
    return torch.randn(num_rows, DIM, generator=torch.Generator().manual_seed(1)) * 2 + 1


def test_losses_are_called_by_argument_names_and_weighted():
    head = Head()
    features, pids, domains = head(feats()), torch.arange(6), torch.tensor([0, 1, 0, 1, 1, 2])
    terms = head.loss(features, pids, domains)
    assert set(terms) == {"loss_ce", "loss_domain", "loss_two_a", "loss_two_b"}
    torch.testing.assert_close(terms["loss_domain"], feats().sum() * 5 * 0.5)
    torch.testing.assert_close(terms["loss_two_a"], features.logits.sum() * 3)
    assert terms["loss_two_b"] == 45
    torch.testing.assert_close(terms["loss_ce"], head.losses["ce"](features.logits, pids))


def test_losses_of_a_stage():
    head = Head(train_losses=("two",))
    features, pids, domains = head(feats()), torch.arange(6), torch.zeros(6).long()
    assert set(head.loss(features, pids, domains)) == {"loss_two_a", "loss_two_b"}
    assert set(head.loss(features, pids, domains, ("ce", "domain"))) == {"loss_ce", "loss_domain"}
    assert head.check_loss_names(["ce"]) == ("ce",)


def test_unknown_names_list_the_known_ones():
    with pytest.raises(ValueError, match="Unknown loss center, xbm; .* has ce, domain, two"):
        Head(train_losses=("ce", "center", "xbm"))


def test_losses_get_float32_and_share_a_gather(monkeypatch):
    seen = []

    class Note(nn.Module):
        def forward(self, feats, logits, pids):
            seen.append((feats, logits, pids))
            return feats.sum()

    gathers = []
    one_gather = reid_head.one_gather
    monkeypatch.setattr(
        reid_head, "one_gather", lambda *tensors: gathers.append(tensors) or one_gather(*tensors)
    )
    head = Head(losses=dict(a=dict(type=Note), b=dict(type=Note)))
    pids, domains = torch.arange(6), torch.zeros(6).long()
    half = feats().half()
    terms = head.loss(ReIDFeatures(half, half, None), pids, domains)
    assert set(terms) == {"loss_a", "loss_b"}
    assert seen[0][0] is seen[1][0] and gathers[0][0] is half
    assert torch.equal(seen[0][0], half.float())
    assert seen[0][0].dtype == torch.float32
    assert seen[0][1] is None
    assert gathers[0][1] is seen[0][2] is pids and gathers[0][2] is domains
    assert len(gathers) == 1


@pytest.mark.parametrize("shape", [(6, 9), (6, DIM, 1, 1)], ids=str)
def test_features_of_another_size(shape):
    head = Head()
    head.check_feature_size(feats(), DIM)
    with pytest.raises(ValueError, match=r"Head: in_channels=64, but .*\(6, .*model.head.in_chan"):
        head.check_feature_size(torch.zeros(shape), DIM)
