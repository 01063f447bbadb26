import pytest
import torch
from torch import nn

from mmreid_ext.models import BatchInstanceNorm2d
from mmreid_ext.models.backbones.parts import norm, reset_convolutions


@pytest.mark.parametrize(
    ("kind", "expected"), [("BN", nn.BatchNorm2d), ("mmreid_ext.BIN", BatchInstanceNorm2d)]
)
def test_a_norm_of_a_configuration(kind, expected):
    layer = norm(dict(type=kind, eps=0.5), 7)
    assert type(layer) is expected
    assert (layer.num_features, layer.eps) == (7, 0.5)


def test_convolutions_start_by_the_size_of_their_output():
    torch.manual_seed(0)
    model = nn.Sequential(nn.Conv2d(64, 128, 3), nn.ReLU(), nn.Linear(4, 4))
    linear = model[2].weight.clone()
    reset_convolutions(model)
    # Standard deviation sqrt(2 / (128 * 9)); its own error over 73,728 draws is 0.3 %.
    assert model[0].weight.std().item() == pytest.approx((2 / (128 * 9)) ** 0.5, rel=0.02)
    assert not model[0].bias.any()
    assert torch.equal(model[2].weight, linear)
