import pytest
import torch

from mmreid_ext.models.losses import NPairsLoss


def reference(feats, pids, reg_lambda=0.01):
    """The reference for consecutive pairs: even rows are anchors, odd rows positives."""
    anchors, positives = feats[0::2], feats[1::2]
    scores = anchors @ positives.t()
    total = 0.0
    for i in range(len(anchors)):
        log_prob = scores[i] - scores[i].exp().sum().log()
        for j in range(len(positives)):
            if pids[2 * i] == pids[2 * j + 1]:
                total = total - log_prob[j]
    return total / len(anchors) + 0.5 * reg_lambda * (feats**2).sum(1).mean()


@pytest.mark.parametrize("pids", [[0, 0, 1, 1, 2, 2], [4, 4, 1, 1], [0, 0, 1, 1, 0, 0], [3, 3]])
def test_matches_reference_on_consecutive_pairs(make_feats, pids):
    feats, pids = make_feats(len(pids)), torch.tensor(pids)
    value, expected = NPairsLoss()(feats, pids), reference(feats, pids)
    torch.testing.assert_close(value, expected)
    grads = [torch.autograd.grad(v, feats)[0] for v in (value, expected)]
    torch.testing.assert_close(*grads)


def test_labels_decide_not_positions(make_feats):
    feats = make_feats(6)
    pids = torch.tensor([0, 1, 2, 2, 0, 1])
    consecutive = torch.tensor([0, 4, 1, 5, 2, 3])
    expected = reference(feats[consecutive], pids[consecutive])
    torch.testing.assert_close(NPairsLoss()(feats, pids), expected)


def test_third_image_of_an_identity_is_not_used(make_feats):
    feats, pids = make_feats(5), torch.tensor([0, 0, 0, 1, 1])
    used = torch.tensor([0, 1, 3, 4])
    expected = reference(feats[used], pids[used])
    value = NPairsLoss()(feats, pids)
    torch.testing.assert_close(value, expected)
    assert (torch.autograd.grad(value, feats)[0][2] == 0).all()


def test_where_the_device_would_be_waited_for_lone_images_are_left_out(make_feats, monkeypatch):
    """On an accelerator; without any pair the loss is NaN, which stops the run."""
    monkeypatch.setattr(NPairsLoss, "_check_partners", lambda *_: None)
    feats, pids = make_feats(6), torch.tensor([0, 0, 7, 1, 1, 8])
    used = torch.tensor([0, 1, 3, 4])
    torch.testing.assert_close(NPairsLoss()(feats, pids), reference(feats[used], pids[used]))
    assert NPairsLoss()(feats, torch.arange(6)).isnan()


def test_lone_images_are_an_error():
    with pytest.raises(ValueError, match="2 identities have a single image.*num_instances=2"):
        NPairsLoss()(torch.randn(4, 3), torch.tensor([0, 0, 1, 2]))
