"""Networks of torchvision and timm."""

from __future__ import annotations

from typing import Any

from torch import Tensor

from .side_by_side import Case

_STEM = {"no ReLU in the stem": {"stem_relu": False}}
_POOL = {"stem pooled without padding": {"stem_pool": "ceil"}}
_STRIDE = {"last stride 1": {"backbone.strides": (1, 2, 2, 1)}}
# Another stride has another shortcut in a ResNet-D, which the weights don't fit.
_DILATED = {"last stage dilated": {"backbone.dilations": (1, 1, 1, 2)}}
_RESNET = {**_STEM, **_POOL, **_STRIDE}
_TOKEN = {"class token of the layer before": {"backbone.out_indices": -2}}
_VIT = {
    **_TOKEN,
    "CLIP's GELU": {"backbone.layer_cfgs": dict(act_cfg=dict(type="mmpretrain.QuickGELU"))},
}


def _pooled(net: Any, images: Tensor) -> Tensor:
    return net.avgpool(net.layer4(net.layer3(net.layer2(net.layer1(_stem(net, images)))))).flatten(
        1
    )


def _stem(net: Any, images: Tensor) -> Tensor:
    activation = net.relu if hasattr(net, "relu") else net.act1
    return net.maxpool(activation(net.bn1(net.conv1(images))))


def _vision(name: str, **options: Any) -> Any:
    import torchvision

    return lambda: getattr(torchvision.models, name)(**options)


def _timm(name: str) -> Any:
    import timm

    return lambda: timm.create_model(name, pretrained=False, num_classes=0)


def _vision_vit(net: Any, images: Tensor) -> Tensor:
    net.heads = __import__("torch").nn.Identity()
    return net(images)


def _timm_pooled(net: Any, images: Tensor) -> Tensor:
    return net.forward_features(images).mean((2, 3))


def _timm_token(net: Any, images: Tensor) -> Tensor:
    return net.forward_features(images)[:, 0]


def cases(sources: Any) -> dict[str, Case]:
    """Return the networks by name."""
    vision, timm = "torchvision", "timm"
    tall, square = (256, 128), (224, 224)
    mobile = {"last stride 1": {"backbone.type": "mmreid_ext.MobileNetV2"}}
    return {
        "torchvision resnet18": Case(_vision("resnet18"), _pooled, vision, tall, _RESNET),
        "torchvision resnet50": Case(_vision("resnet50"), _pooled, vision, tall, _RESNET),
        "torchvision mobilenet_v2": Case(
            _vision("mobilenet_v2"),
            lambda net, images: net.features(images).mean((2, 3)),
            vision,
            tall,
            mobile,
        ),
        "torchvision vit_b_16": Case(_vision("vit_b_16"), _vision_vit, vision, square, _TOKEN),
        "timm resnet50": Case(_timm("resnet50"), _timm_pooled, timm, tall, _RESNET),
        "timm resnet50d": Case(_timm("resnet50d"), _timm_pooled, timm, tall, _DILATED),
        "timm vit_small_patch16_224": Case(
            _timm("vit_small_patch16_224"), _timm_token, timm, square, _VIT
        ),
        "timm vit_small_patch14_dinov2": Case(
            _timm("vit_small_patch14_dinov2"), _timm_token, timm, (518, 518), _VIT
        ),
    }
