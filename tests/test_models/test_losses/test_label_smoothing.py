import pytest
import torch

from mmreid_ext.models.losses import LabelSmoothingLoss


def oracle(logits, pids, true_target, other_target):
    total = 0.0
    for row, pid in zip(logits, pids.tolist(), strict=True):
        log_prob = row - row.exp().sum().log()
        for c in range(len(row)):
            total = total - (true_target if c == pid else other_target) * log_prob[c]
    return total / len(logits)


def target_of(loss, num_classes):
    """The target q itself: with p = softmax(z), dL/dz = p - q for one sample."""
    logits = torch.zeros(1, num_classes, dtype=torch.float64, requires_grad=True)
    loss(logits, torch.tensor([0])).backward()
    return 1 / num_classes - logits.grad[0]


@pytest.mark.parametrize("num_classes", [2, 5, 9])
def test_matches_loop(generator, num_classes):
    logits = torch.randn(7, num_classes, dtype=torch.float64, generator=generator)
    pids = torch.randint(num_classes, (7,), generator=generator)
    everywhere = LabelSmoothingLoss(0.1)(logits, pids)
    others = LabelSmoothingLoss(0.1, spread="others")(logits, pids)
    share = 0.1 / num_classes
    torch.testing.assert_close(everywhere, oracle(logits, pids, 0.9 + share, share))
    torch.testing.assert_close(others, oracle(logits, pids, 0.9, 0.1 / (num_classes - 1)))


def test_targets_for_market1501():
    everywhere = target_of(LabelSmoothingLoss(0.1), 751)
    others = target_of(LabelSmoothingLoss(0.1, spread="others"), 751)
    # The reference values have ten digits.
    assert everywhere[:2].tolist() == pytest.approx([0.9001331558, 0.0001331558], abs=1e-10)
    assert others[:2].tolist() == pytest.approx([0.9, 0.0001333333], abs=1e-10)


def test_epsilon_zero_is_cross_entropy(generator):
    logits, pids = torch.randn(6, 4, generator=generator), torch.tensor([0, 1, 2, 3, 0, 1])
    expected = torch.nn.functional.cross_entropy(logits, pids)
    for spread in ("all", "others"):
        torch.testing.assert_close(LabelSmoothingLoss(0.0, spread)(logits, pids), expected)


@pytest.mark.parametrize("spread", ["all", "others"])
def test_gradcheck(generator, spread):
    logits = torch.randn(4, 5, dtype=torch.float64, generator=generator, requires_grad=True)
    pids = torch.tensor([0, 4, 2, 2])
    assert torch.autograd.gradcheck(lambda z: LabelSmoothingLoss(0.1, spread)(z, pids), logits)


def test_one_class_gives_zero():
    for spread in ("all", "others"):
        loss = LabelSmoothingLoss(0.1, spread)(torch.randn(3, 1), torch.zeros(3, dtype=torch.int64))
        assert loss == 0


def test_half_logits_are_widened():
    logits = torch.randn(4, 300).half()
    pids = torch.arange(4)
    loss = LabelSmoothingLoss()(logits, pids)
    assert loss.dtype == torch.float32
    assert loss == LabelSmoothingLoss()(logits.float(), pids)


def test_errors_name_the_remedy():
    with pytest.raises(ValueError, match=r"epsilon=1 must lie in \[0, 1\)"):
        LabelSmoothingLoss(1)
    with pytest.raises(ValueError, match="spread='some' must be 'all' or 'others'"):
        LabelSmoothingLoss(spread="some")
    with pytest.raises(ValueError, match=r"\[0, 5\], but num_classes=5"):
        LabelSmoothingLoss()(torch.randn(2, 5), torch.tensor([0, 5]))
    with pytest.raises(ValueError, match=r"\[-100, 0\]"):
        LabelSmoothingLoss()(torch.randn(2, 5), torch.tensor([0, -100]))
    with pytest.raises(ValueError, match="use at most 0.500"):
        LabelSmoothingLoss(0.6, spread="others")(torch.randn(2, 2), torch.tensor([0, 1]))
