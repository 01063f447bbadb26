import pytest
import torch
import torch.nn.functional as F
from mmpretrain.models import ResNet, ResNetV1d
from torch import nn

from mmreid_ext.errors import UserError
from mmreid_ext.models.stems import remove_stem_relu, set_stem_pool


@pytest.mark.parametrize("size", [(16, 8), (15, 9)])
def test_pools(size):
    """Padding is minus infinity; without it the last windows hang over the far edge."""
    x = torch.randn(1, 2, *size)
    backbone = ResNet(18)
    set_stem_pool(backbone, "ceil")
    over = [(side - 3) % 2 for side in size]  # pixels that the last window lacks
    expected = F.max_pool2d(F.pad(x, (0, over[1], 0, over[0]), value=-torch.inf), 3, 2)
    assert backbone.maxpool(x).equal(expected)
    set_stem_pool(backbone, "padded")
    assert backbone.maxpool(x).equal(F.max_pool2d(F.pad(x, (1, 1, 1, 1), value=-torch.inf), 3, 2))
    if size == (16, 8):
        assert expected.shape == backbone.maxpool(x).shape


def test_names_of_weights_stay():
    backbone = ResNet(18)
    names = list(backbone.state_dict())
    set_stem_pool(backbone, "ceil")
    remove_stem_relu(backbone)
    assert list(backbone.state_dict()) == names and isinstance(backbone.relu, nn.Identity)


def test_other_words_and_other_networks_are_refused():
    with pytest.raises(UserError, match="stem_pool='floor' must be 'padded' or 'ceil'"):
        set_stem_pool(ResNet(18), "floor")
    with pytest.raises(UserError, match="stem_relu=False needs a plain ResNet stem, not ResNetV1d"):
        remove_stem_relu(ResNetV1d(depth=50))
