import pytest
import torch

from mmreid_ext.models.losses import ContrastiveLoss


def oracle(feats, pids, keys, key_pids, margin=0.5, eps=1e-5):
    unit = feats / feats.norm(dim=1, keepdim=True)
    unit_keys = keys / keys.norm(dim=1, keepdim=True)
    total = feats.sum() * 0
    for x, pid in zip(unit, pids.tolist(), strict=True):
        for y, key_pid in zip(unit_keys, key_pids.tolist(), strict=True):
            similarity = x @ y
            if pid == key_pid and similarity < 1 - eps:
                total = total + 1 - similarity
            if pid != key_pid and similarity > margin:
                total = total + similarity
    return total / len(feats)


def check(value, expected, feats):
    torch.testing.assert_close(value, expected)
    grads = [torch.autograd.grad(v, feats)[0] for v in (value, expected)]
    # A lone image's gradient is 0 up to the rounding of the loop's normalisation.
    torch.testing.assert_close(*grads, atol=1e-14, rtol=1e-7)


@pytest.mark.parametrize("margin", [0.5, 0.0])
def test_matches_loop_in_the_batch(make_feats, pids, margin):
    feats = make_feats(len(pids))
    check(ContrastiveLoss(margin)(feats, pids), oracle(feats, pids, feats, pids, margin), feats)


def test_matches_loop_against_keys(make_feats, pids):
    feats, keys = make_feats(len(pids)), make_feats(6).detach()
    key_pids = torch.tensor([0, 1, 2, 2, 5, 3])
    check(
        ContrastiveLoss(0.2)(feats, pids, keys, key_pids),
        oracle(feats, pids, keys, key_pids, 0.2),
        feats,
    )


def unit_vectors(cosines):
    """Plane vectors whose cosines with (1, 0) are given."""
    cosines = torch.tensor(cosines, dtype=torch.float64)
    return torch.stack([cosines, (1 - cosines**2).sqrt()], dim=1)


def test_one_anchor_by_hand():
    """Positives {1.0, 0.6}, negatives {0.7, 0.4}: 1.0 is filtered, 0.4 below the margin."""
    keys = unit_vectors([1.0, 0.6, 0.7, 0.4])
    anchor = torch.tensor([[1.0, 0.0]], dtype=torch.float64)
    loss = ContrastiveLoss()(anchor, torch.tensor([1]), keys, torch.tensor([1, 1, 2, 3]))
    assert loss.item() == pytest.approx(0.4 + 0.7)


def test_self_pairs_are_filtered_in_half_precision():
    """In float16 the spacing near 1 is 4.9e-4: self similarities would pass as 1 - 4.9e-4."""
    generator = torch.Generator().manual_seed(0)
    feats = torch.randn(32, 100, generator=generator).half()
    with torch.autocast("cpu", dtype=torch.bfloat16):
        assert ContrastiveLoss(margin=1.0)(feats, torch.arange(32)) == 0


def test_keys_may_be_in_half_precision():
    feats, pids = torch.randn(4, 8), torch.tensor([0, 0, 1, 1])
    loss = ContrastiveLoss()
    assert loss(feats, pids, feats.half(), pids) == loss(feats, pids, feats.half().float(), pids)
