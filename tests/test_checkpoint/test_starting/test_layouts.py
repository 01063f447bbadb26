"""Names of other programs become MMPretrain's."""

import pytest

from mmreid_ext.checkpoint.starting.layouts import LAYOUTS


@pytest.mark.parametrize(
    "layout, name, ours",
    [
        ("", "layer1.0.conv1.weight", "layer1.0.conv1.weight"),
        ("torchvision's MobileNetV2", "features.0.1.bias", "conv1.bn.bias"),
        ("torchvision's MobileNetV2", "features.1.conv.1.weight", "layer1.0.conv.1.conv.weight"),
        ("torchvision's MobileNetV2", "features.17.conv.3.bias", "layer7.0.conv.2.bn.bias"),
        (
            "an early torchvision's MobileNetV2",
            "features.4.conv.3.weight",
            "layer3.0.conv.1.conv.weight",
        ),
        ("an early torchvision's MobileNetV2", "features.1.conv.4.bias", "layer1.0.conv.1.bn.bias"),
        ("an early torchvision's MobileNetV2", "features.1.conv.2.x", "features.1.conv.2.x"),
        ("timm's ResNet-D", "conv1.4.running_mean", "stem.1.bn.running_mean"),
        ("timm's ResNet-D", "layer1.0.downsample.2.bias", "layer1.0.downsample.1.bias"),
        ("timm's ResNet-D", "layer2.0.downsample.2.bias", "layer2.0.downsample.2.bias"),
        ("timm's ResNet-D", "bn1.weight", "stem.2.bn.weight"),
        ("timm's vision transformer", "blocks.3.norm2.weight", "layers.3.ln2.weight"),
        ("timm's vision transformer", "blocks.3.mlp.fc2.bias", "layers.3.ffn.layers.1.bias"),
        ("timm's vision transformer", "norm.weight", "ln1.weight"),
    ],
)
def test_a_name_is_translated(layout, name, ours):
    assert LAYOUTS[layout](name) == ours
