"""ResNet-IBN-a: which channels and which layers are normalised by instance."""

import torch
import torch.nn.functional as F

from mmreid_ext.models.backbones import ResNetIBN
from mmreid_ext.models.backbones.resnet_ibn import InstanceBatchNorm2d

BN = dict(type="BN")


def test_instance_batch_norm_splits_the_channels():
    torch.manual_seed(0)
    layer = InstanceBatchNorm2d(6, BN)
    x = torch.randn(4, 6, 5, 3) + 2
    expected = torch.cat(
        (F.instance_norm(x[:, :3]), F.batch_norm(x[:, 3:], None, None, training=True)), dim=1
    )
    torch.testing.assert_close(layer(x), expected)


def test_the_layer_can_be_halved():
    """An attribute called `half` once hid the method of that name."""
    layer = InstanceBatchNorm2d(6, BN).half()
    assert {p.dtype for p in layer.parameters()} == {torch.float16}


def test_ibn_a_stands_in_the_first_norm_of_the_first_three_stages():
    model = ResNetIBN(50, norm_cfg=BN)
    names = [n for n, m in model.named_modules() if isinstance(m, InstanceBatchNorm2d)]
    blocks = [(1, 3), (2, 4), (3, 6)]
    assert names == [f"layer{s}.{b}.bn1" for s, count in blocks for b in range(count)]
    assert {"layer1.0.bn1.IN.weight", "layer1.0.bn1.BN.running_mean"} <= set(model.state_dict())
    model.eval()
    with torch.no_grad():
        assert model(torch.randn(1, 3, 64, 32))[-1].shape == (1, 2048, 2, 1)
