import math

import pytest
import torch

from mmreid_ext.models.losses import ArcMarginLinear


def oracle(feats, weight, pids, margin, scale, easy):
    threshold, drop = math.cos(math.pi - margin), math.sin(math.pi - margin) * margin
    rows = []
    for x, pid in zip(feats, pids.tolist(), strict=True):
        row = []
        for c, w in enumerate(weight):
            cosine = (x @ w) / (x.norm() * w.norm())
            if c == pid:
                sine = (1 - cosine**2 + 1e-6).sqrt()
                phi = cosine * math.cos(margin) - sine * math.sin(margin)
                if easy:
                    cosine = phi if cosine > 0 else cosine
                else:
                    cosine = phi if cosine > threshold else cosine - drop
            row.append(scale * cosine)
        rows.append(torch.stack(row))
    return torch.stack(rows)


@pytest.mark.parametrize("easy", [False, True])
@pytest.mark.parametrize("margin", [0.15, 0.5, 2.0])  # 2.0: many angles beyond pi - m
def test_matches_loop(make_feats, easy, margin):
    head = ArcMarginLinear(6, 5, margin, easy_margin=easy).double()
    feats, pids = make_feats(12, offset=0.0), torch.arange(12) % 5
    value = head(feats, pids)
    expected = oracle(feats, head.weight, pids, margin, 80.0, easy)
    torch.testing.assert_close(value, expected)
    weights = torch.rand(value.shape, dtype=value.dtype, generator=torch.Generator().manual_seed(0))
    grads = [
        torch.autograd.grad((v * weights).sum(), (feats, head.weight)) for v in (value, expected)
    ]
    torch.testing.assert_close(*grads)


def test_target_lies_margin_beyond_the_angle():
    head = ArcMarginLinear(2, 2, margin=0.15, scale=1.0).double()
    with torch.no_grad():
        head.weight.copy_(torch.tensor([[2.0, 0.0], [0.0, 3.0]]))
    for angle in (0.3, 1.0, 2.0, 2.9):
        feats = torch.tensor([[math.cos(angle), math.sin(angle)]], dtype=torch.float64)
        logits = head(feats, torch.tensor([0]))[0]
        # 1e-6 under the root shifts the cosine by less than 1e-6.
        assert logits[0].item() == pytest.approx(math.cos(angle + 0.15), abs=1e-6)
        assert logits[1].item() == pytest.approx(math.sin(angle))


def test_constants_of_the_default_margin():
    """th = -0.98877 and mm = 0.0224157: at c = -1 the logit is 80 * (-1 - mm)."""
    head = ArcMarginLinear(2, 1).double()
    with torch.no_grad():
        head.weight.copy_(torch.tensor([[1.0, 0.0]]))
    feats = torch.tensor([[-1.0, 0.0]], dtype=torch.float64)
    assert head(feats, torch.tensor([0])).item() == pytest.approx(80 * (-1 - 0.0224157), abs=1e-5)
    easy = ArcMarginLinear(2, 1, easy_margin=True).double()
    easy.load_state_dict(head.state_dict())
    assert easy(feats, torch.tensor([0])).item() == pytest.approx(-80)


def test_plain_cosines_without_labels(make_feats):
    head, feats = ArcMarginLinear(6, 4).double(), make_feats(3)
    expected = 80 * torch.nn.functional.linear(
        torch.nn.functional.normalize(feats), torch.nn.functional.normalize(head.weight)
    )
    torch.testing.assert_close(head(feats), expected)


def test_gradcheck(make_feats):
    head, feats = ArcMarginLinear(6, 3, scale=2.0).double(), make_feats(4)
    pids = torch.tensor([0, 2, 1, 0])
    assert torch.autograd.gradcheck(lambda x, w: head(x, pids), (feats, head.weight))


def test_cosine_one_and_zero_rows_stay_finite():
    head = ArcMarginLinear(3, 2)
    feats = torch.stack([7 * head.weight[0].detach(), torch.zeros(3)]).requires_grad_()
    logits = head(feats, torch.tensor([0, 1]))
    logits.sum().backward()
    assert logits.isfinite().all()
    assert feats.grad.isfinite().all()
    assert (logits[1, 0] == 0).all()


def test_errors():
    head = ArcMarginLinear(6, 4)
    with pytest.raises(ValueError, match="build ArcMarginLinear with in_features=5"):
        head(torch.randn(2, 5))
    with pytest.raises(ValueError, match=r"\[0, 4\], but num_classes=4"):
        head(torch.randn(2, 6), torch.tensor([0, 4]))
    with pytest.raises(ValueError, match=r"margin=4 must be an angle in \[0, pi\)"):
        ArcMarginLinear(6, 4, margin=4)
