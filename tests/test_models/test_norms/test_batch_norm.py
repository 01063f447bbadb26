"""One process; several ranks are in test_norms_distributed."""

import pytest
import torch
from helpers.bin_layers import make_images
from torch import nn

from mmreid_ext.models.norms import SyncBatchNorm, batch_norm
from mmreid_ext.registry import MODELS


@pytest.mark.parametrize("shape", [(6, 3), (4, 3, 4, 3)], ids=str)
@pytest.mark.parametrize("momentum", [0.1, None])
def test_one_rank_is_pytorchs_batch_norm(shape, momentum):
    ours = SyncBatchNorm(3, momentum=momentum)
    torchs = (nn.BatchNorm1d if len(shape) == 2 else nn.BatchNorm2d)(3, momentum=momentum)
    x = make_images(*shape, dtype=torch.float32)
    assert torch.equal(ours(x), torchs(x))
    assert torch.equal(ours.eval()(x), torchs.eval()(x))
    torch.testing.assert_close(ours.state_dict(), torchs.state_dict(), rtol=0, atol=0)


@pytest.mark.parametrize("shape", [(6, 3), (4, 3, 4, 3)], ids=str)
@pytest.mark.parametrize("options", [{}, dict(momentum=None), dict(affine=False)], ids=str)
def test_its_own_computation_is_that_of_pytorch(shape, options, monkeypatch):
    """The path of several ranks, on one: nothing is gathered, everything else happens."""
    monkeypatch.setattr(batch_norm, "is_distributed", lambda: True)
    ours = SyncBatchNorm(3, **options).double()
    torchs = (nn.BatchNorm1d if len(shape) == 2 else nn.BatchNorm2d)(3, **options).double()
    for step in range(2):
        x = make_images(*shape, seed=step).requires_grad_()
        grad = make_images(*shape, seed=9)
        y, expected = ours(x), torchs(x)
        torch.testing.assert_close(y, expected)
        torch.testing.assert_close(
            torch.autograd.grad(y, [x, *ours.parameters()], grad),
            torch.autograd.grad(expected, [x, *torchs.parameters()], grad),
        )
    torch.testing.assert_close(ours.state_dict(), torchs.state_dict())


def test_wrong_shape_and_registry_names():
    for name in ("mmreid_ext.SyncBN", "mmreid_ext.SyncBatchNorm"):
        layer = MODELS.build(dict(type=name, num_features=3))
        assert type(layer) is SyncBatchNorm
    with pytest.raises(ValueError, match=r"\(2, 4\), but must be \(N, 3\) or \(N, 3, H, W\)"):
        layer(torch.zeros(2, 4))
