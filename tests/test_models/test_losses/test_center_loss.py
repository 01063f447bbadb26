import pytest
import torch

from mmreid_ext.models.losses import CenterLoss


def dense_reference(feats, centers, pids):
    """The clamped B x C form of the reference code."""
    distances = torch.stack([((x - centers) ** 2).sum(1) for x in feats])
    mask = torch.zeros_like(distances)
    mask[torch.arange(len(feats)), pids] = 1
    return (distances * mask).clamp(1e-12, 1e12).sum() / len(feats)


def make_loss(num_classes, feat_dim, generator=None):
    return CenterLoss(num_classes, feat_dim, generator=generator).double()


def test_matches_dense_reference(make_feats, pids, generator):
    loss, feats = make_loss(9, 6, generator), make_feats(len(pids))
    value, expected = loss(feats, pids), dense_reference(feats, loss.centers, pids)
    # The dense form adds (C-1) * 1e-12 per clamped zero, B rows divided by B.
    torch.testing.assert_close(value + 8e-12, expected, rtol=1e-13, atol=1e-13)
    grads = torch.autograd.grad(value, (feats, loss.centers))
    torch.testing.assert_close(grads, torch.autograd.grad(expected, (feats, loss.centers)))
    absent = [c for c in range(9) if c not in pids.tolist()]
    assert (grads[1][absent] == 0).all()


def test_reference_step_by_hand():
    """Features 2 and 4 of one class, centre 0: loss 10, gradient -6, step 0.5 to the mean."""
    loss = make_loss(1, 1)
    torch.nn.init.zeros_(loss.centers)
    value = loss(torch.tensor([[2.0], [4.0]]).double(), torch.tensor([0, 0]))
    value.backward()
    assert value.item() == 10
    assert loss.centers.grad.item() == -6
    loss.sgd_step(0.5)
    assert loss.centers.item() == 3
    assert loss.centers.grad is None


def expected_centers(centers, feats, pids):
    moved = centers.clone()
    for c in range(len(centers)):
        for x, pid in zip(feats, pids.tolist(), strict=True):
            if pid == c:
                moved[c] -= (centers[c] - x) / len(feats)
    return moved


def train_step(loss, optimizer, batches, weight, scale=1.0):
    """One optimiser step over micro-batches, the way MMEngine and a GradScaler do it."""
    optimizer.zero_grad()
    for feats, pids in batches:
        (scale * weight * loss(feats, pids) / len(batches)).backward()
    for parameter in loss.parameters():
        parameter.grad /= scale
    torch.nn.utils.clip_grad_norm_(loss.parameters(), 1e-3)
    optimizer.step()


@pytest.mark.parametrize("weight", [1.0, 5e-4])
@pytest.mark.parametrize("num_micro_batches", [1, 2])
@pytest.mark.parametrize("kind", [torch.optim.Adam, torch.optim.SGD, torch.optim.AdamW])
def test_attached_step_is_the_reference_step(generator, weight, num_micro_batches, kind):
    loss = make_loss(5, 3, generator)
    before = loss.centers.detach().clone()
    feats = torch.randn(8, 3, dtype=torch.float64, generator=generator)
    pids = torch.tensor([0, 0, 1, 1, 3, 3, 3, 0])
    optimizer = kind(loss.parameters(), lr=0.1, weight_decay=0.1)
    loss.attach_to(optimizer, lr=0.5)
    batches = list(zip(feats.chunk(num_micro_batches), pids.chunk(num_micro_batches), strict=True))
    train_step(loss, optimizer, batches, weight, scale=2.0**16)
    torch.testing.assert_close(loss.centers.detach(), expected_centers(before, feats, pids))
    assert loss.factor == 0
    assert not optimizer.state  # no moments were kept for the centres


def test_grad_scaler_skips_the_centres_with_the_step():
    loss = CenterLoss(2, 3)
    optimizer = torch.optim.Adam(loss.parameters())
    loss.attach_to(optimizer)
    scaler = torch.amp.GradScaler("cpu", init_scale=4.0)
    before = loss.centers.detach().clone()
    for feats, moves in ((torch.full((2, 3), torch.inf), False), (torch.ones(2, 3), True)):
        optimizer.zero_grad()
        scaler.scale(loss(feats, torch.tensor([0, 0])) * 1e-3).backward()
        scaler.step(optimizer)
        scaler.update()
        assert torch.equal(loss.centers, before) != moves
    expected = before[0] - (before[0] - 1)
    torch.testing.assert_close(loss.centers[0].detach(), expected)


def test_step_without_gradient_or_weight_moves_nothing():
    loss = CenterLoss(2, 3)
    before = loss.centers.detach().clone()
    loss.sgd_step()
    (0.0 * loss(torch.ones(2, 3), torch.tensor([0, 1]))).backward()
    loss.sgd_step()
    assert torch.equal(loss.centers, before)


def test_detach_by_handle():
    loss = CenterLoss(2, 3)
    optimizer = torch.optim.SGD(loss.parameters(), lr=0.0)
    handle = loss.attach_to(optimizer)
    handle.remove()
    before = loss.centers.detach().clone()
    loss(torch.ones(2, 3), torch.tensor([0, 1])).backward()
    optimizer.step()
    assert torch.equal(loss.centers, before)


def test_initial_centres_are_standard_normal_and_reproducible():
    first, second = (
        CenterLoss(200, 64, generator=torch.Generator().manual_seed(3)).centers for _ in range(2)
    )
    assert torch.equal(first, second)
    # 12800 draws: the mean has standard error 0.009, the deviation 0.006.
    assert first.mean().item() == pytest.approx(0, abs=0.04)
    assert first.std().item() == pytest.approx(1, abs=0.03)


def test_gradcheck(generator):
    loss, pids = make_loss(3, 2, generator), torch.tensor([0, 2, 2, 0])
    feats = torch.randn(4, 2, dtype=torch.float64, generator=generator, requires_grad=True)
    assert torch.autograd.gradcheck(lambda x, c: loss(x, pids), (feats, loss.centers))


def test_errors():
    loss = CenterLoss(3, 4)
    with pytest.raises(ValueError, match="build CenterLoss with feat_dim=5"):
        loss(torch.randn(2, 5), torch.tensor([0, 1]))
    with pytest.raises(ValueError, match=r"\[0, 3\], but num_classes=3"):
        loss(torch.randn(2, 4), torch.tensor([0, 3]))
    with pytest.raises(ValueError, match="num_classes=0 must be at least 1"):
        CenterLoss(0, 4)
    with pytest.raises(ValueError, match="does not hold the centres"):
        loss.attach_to(torch.optim.SGD([torch.nn.Parameter(torch.ones(1))], lr=0.1))
    with pytest.raises(ValueError, match="fused=False"):
        loss.attach_to(torch.optim.Adam(loss.parameters(), fused=True))
