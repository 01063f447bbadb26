import pytest
from helpers.recorded_networks import empty, resnet

from mmreid_ext.checkpoint.converting.shapes import (
    classes,
    count_blocks,
    mobilenet_width,
    resnet_depth,
    resnet_options,
    vit_options,
)
from mmreid_ext.errors import UserError


@pytest.mark.parametrize(
    "blocks, wide, depth",
    [
        ((2, 2, 2, 2), False, 18),
        ((3, 4, 6, 3), False, 34),
        ((3, 4, 6, 3), True, 50),
        ((3, 4, 23, 3), True, 101),
        ((3, 8, 36, 3), True, 152),
    ],
)
def test_depth_of_a_resnet(blocks, wide, depth):
    assert resnet_depth(resnet(blocks, "base.", wide), "base.") == depth


def test_other_networks_are_no_resnet():
    with pytest.raises(UserError, match="has 1, 1, 1, 1 blocks .* must be a ResNet of depth 18"):
        resnet_depth(resnet((1, 1, 1, 1)))


def test_settings_of_the_parts():
    assert resnet_options(resnet())["model.head.in_channels"] == 512
    assert resnet_options(resnet((3, 4, 6, 3), "", True))["model.head.in_channels"] == 2048
    assert classes(empty(w=(7, 2)), "w") == {"model.head.num_classes": 7}
    assert classes({}, "w") == {}
    assert count_blocks(empty("a.0.w", "a.11.w", "b.20.w", "a.x"), "a") == 12
    state = empty("p.blocks.1.x", **{"p.blocks.0.mlp.fc1.weight": (384, 192)})
    options = vit_options(state, "p.")
    assert options["model.backbone.arch"] == dict(
        embed_dims=192, num_layers=2, num_heads=3, feedforward_channels=384
    )
    assert mobilenet_width(empty(w=(448, 9))["w"]) == {"model.backbone.width": 1.4}
