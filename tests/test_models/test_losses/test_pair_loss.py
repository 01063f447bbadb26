import pytest
import torch

from mmreid_ext.models import losses
from mmreid_ext.models.losses import ContrastiveLoss, PairLoss

PIDS = torch.tensor([0, 0, 1, 1])


class Spy(PairLoss):
    """Notes what `compare` is given."""

    def compare(self, feats, pids, key_feats, key_pids):
        self.seen = feats, pids, key_feats, key_pids
        return feats.sum()


def test_keys_default_to_the_batch():
    loss, feats = Spy(), torch.randn(4, 3)
    loss(feats, PIDS)
    assert all(seen is given for seen, given in zip(loss.seen, (feats, PIDS) * 2, strict=True))


def test_keys_are_widened_to_the_precision_of_the_anchors():
    loss, feats, keys = Spy(), torch.randn(4, 3).double(), torch.randn(2, 3).half()
    loss(feats, PIDS, keys, PIDS[:2])
    assert loss.seen[2].dtype == torch.float64
    torch.testing.assert_close(loss.seen[2], keys.double())


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        (dict(key_pids=None), "Spy: key_pids=None, .*give both or neither"),
        (dict(key_feats=None), "Spy: key_feats=None, .*give both or neither"),
        (dict(key_feats=torch.randn(4, 2)), "key_feats have dimension 2, feats 3"),
        (dict(key_feats=torch.randn(4, 3, 1)), r"key_feats have shape \(4, 3, 1\)"),
        (dict(key_pids=PIDS[:3]), r"key_pids have shape \(3,\), .*one per row of key_feats"),
    ],
)
def test_wrong_keys_are_named(changes, message):
    keys = dict(key_feats=torch.randn(4, 3), key_pids=PIDS)
    with pytest.raises(ValueError, match=message):
        Spy()(torch.randn(4, 3), PIDS, **{**keys, **changes})


def test_the_former_name_leads_to_the_new_one():
    with pytest.warns(FutureWarning, match="now called PairLoss"):
        assert losses.KeyedLoss is PairLoss
    with pytest.warns(FutureWarning):
        assert isinstance(ContrastiveLoss(), losses.KeyedLoss)
    with pytest.raises(AttributeError, match="NoSuchLoss"):
        losses.NoSuchLoss  # noqa: B018
