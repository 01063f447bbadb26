import pytest
import torch
from torch import nn

from mmreid_ext.errors import UserError
from mmreid_ext.models import BatchInstanceNorm2d
from mmreid_ext.models.backbones import TruncatedMobileNetV2

BN = dict(type="BN")


@pytest.mark.parametrize(
    "width, channels, size",
    [
        (1.4, (44, 22, 33, 44, 89, 134, 224, 448), 1792),
        (0.5, (16, 8, 12, 16, 32, 48, 80, 160), 1280),
    ],
)
def test_channels_are_cut_off(width, channels, size):
    model = TruncatedMobileNetV2(width, norm_cfg=BN)
    found = [model.layer1.conv.out_channels]
    found += [getattr(model, f"layer{n}")[-1].conv3.conv.out_channels for n in range(2, 9)]
    assert tuple(found) == channels and model.layer9.conv.out_channels == size


def test_blocks_and_strides_are_the_published_ones():
    model = TruncatedMobileNetV2(0.25, norm_cfg=BN)
    assert [len(getattr(model, f"layer{n}")) for n in range(2, 9)] == [1, 2, 3, 4, 3, 3, 1]
    first = model.layer2[0]
    assert first.conv1.conv.weight.shape == (8, 8, 1, 1)  # expanded by 1
    assert model.layer3[0].conv1.conv.out_channels == 6 * 4
    for last_stride, size in ((1, (4, 2)), (2, (2, 1))):
        model = TruncatedMobileNetV2(0.25, last_stride, BN).eval()
        assert model(torch.zeros(1, 3, 64, 32))[0].shape[2:] == size


def test_a_block_by_slow_means():
    torch.manual_seed(0)
    block = TruncatedMobileNetV2(0.25, norm_cfg=BN).eval().layer3[1]
    x = torch.randn(2, 6, 5, 4)
    y = nn.functional.relu6(block.conv1.bn(block.conv1.conv(x)))
    y = nn.functional.relu6(block.dwconv2.bn(block.dwconv2.conv(y)))
    torch.testing.assert_close(block(x), x + block.conv3.bn(block.conv3.conv(y)))


def test_batch_instance_norms_are_everywhere():
    model = TruncatedMobileNetV2(0.25, norm_cfg=dict(type="mmreid_ext.BIN"))
    norms = [m for m in model.modules() if isinstance(m, BatchInstanceNorm2d)]
    assert len(norms) == 2 + 3 * 17


@pytest.mark.parametrize(
    "settings, word", [(dict(last_stride=3), "must be 1 or 2"), (dict(width=0), "1/16")]
)
def test_other_settings_are_refused(settings, word):
    with pytest.raises(UserError, match=word):
        TruncatedMobileNetV2(**settings)
