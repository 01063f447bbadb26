"""Any MMPretrain backbone with a `norm_cfg` becomes a BIN backbone, checkpoints included."""

import pytest
import torch
from mmengine.runner import load_checkpoint
from mmpretrain.structures import DataSample
from torch import nn
from torch.nn.modules.batchnorm import _BatchNorm

from mmreid_ext.models import BatchInstanceNorm2d
from mmreid_ext.registry import MODELS

BACKBONES = {  # configuration and feature size
    "resnet18": (dict(type="mmpretrain.ResNet", depth=18), 512),
    "resnet50": (dict(type="mmpretrain.ResNet", depth=50), 2048),
    "resnetv1d": (dict(type="mmpretrain.ResNetV1d", depth=50), 2048),
    "mobilenet_v2": (dict(type="mmpretrain.MobileNetV2", widen_factor=0.5), 1280),
    "mobilenet_v3": (dict(type="mmpretrain.MobileNetV3", arch="small"), 576),
    "regnet": (dict(type="mmpretrain.RegNet", arch="regnetx_400mf"), 384),
    "repvgg": (dict(type="mmpretrain.RepVGG", arch="A0"), 1280),
}
BIN, BN = dict(type="mmreid_ext.BIN"), dict(type="BN")
NEW = ("in_weight", "in_bias", "gate")


def images(num_images=4, height=64, width=64, seed=0):
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(num_images, 3, height, width, generator=generator)


def reid_model(backbone, in_channels, **options):
    losses = dict(
        ce=dict(type="mmreid_ext.LabelSmoothingLoss"),
        triplet=dict(type="mmreid_ext.BatchHardTripletLoss"),
    )
    head = dict(type="mmreid_ext.BNNeckHead", num_classes=2, in_channels=in_channels, losses=losses)
    return MODELS.build(dict(type="mmreid_ext.ReIDModel", backbone=backbone, head=head, **options))


def samples(pids=(0, 0, 1, 1)):
    return [DataSample().set_gt_label(pid) for pid in pids]


def pretrained(backbone):
    """A batch-norm twin with statistics and weights as of a trained network."""
    torch.manual_seed(0)
    twin = MODELS.build(dict(backbone, norm_cfg=BN))
    twin.train()  # MMPretrain's return None
    for layer in twin.modules():
        if isinstance(layer, _BatchNorm):
            layer.momentum = 1.0
            nn.init.uniform_(layer.weight, 0.5, 1.5)
            nn.init.uniform_(layer.bias, -0.5, 0.5)
    with torch.no_grad():
        twin(images(8))
    twin.eval()
    return twin


@pytest.mark.parametrize("name", BACKBONES)
def test_checkpoint_of_batch_norm_loads_and_evaluates_the_same(name, tmp_path):
    backbone, in_channels = BACKBONES[name]
    twin = pretrained(backbone)
    model = reid_model(dict(backbone, norm_cfg=BIN), in_channels)

    norms = [n for n, m in twin.named_modules() if isinstance(m, _BatchNorm)]
    assert len(norms) > 10
    assert [n.removeprefix("backbone.") for n in model.bin_layers()] == norms
    assert not any(isinstance(m, _BatchNorm) for m in model.backbone.modules())

    keys = model.backbone.load_state_dict(twin.state_dict(), strict=False)
    assert set(keys.missing_keys) == {f"{norm}.{new}" for norm in norms for new in NEW}
    assert not keys.unexpected_keys

    for layer in model.bin_layers().values():  # so that MMEngine's own loader has work to do
        nn.init.zeros_(layer.running_var)
    path = str(tmp_path / "imagenet.pth")
    torch.save(twin.state_dict(), path)
    load_checkpoint(model.backbone, path, strict=False)
    with torch.no_grad():
        expected, found = twin(images(2, seed=1))[-1], model.eval().backbone(images(2, seed=1))[-1]
    assert expected.std() > 1e-3
    # Float32 through up to 57 layers, summed in another order.
    torch.testing.assert_close(found, expected, rtol=1e-3, atol=1e-3 * float(expected.abs().max()))

    losses = model.train()(images(), samples(), mode="loss")
    sum(losses.values()).backward()
    for parameter_name, parameter in model.named_parameters():
        if parameter.requires_grad and "in_" not in parameter_name.rsplit(".", 1)[-1]:
            assert parameter.grad is not None, parameter_name
    first = next(iter(model.bin_layers().values()))
    assert first.weight.grad.abs().max() > 0
    assert first.gate.grad is None


def test_vision_transformer_as_a_plain_backbone():
    backbone = dict(
        type="mmpretrain.VisionTransformer",
        arch=dict(embed_dims=16, num_layers=2, num_heads=2, feedforward_channels=32),
        img_size=(64, 32),
        patch_size=16,
        out_type="cls_token",
    )
    model = reid_model(backbone, 16, neck=None)
    assert not model.bin_layers()
    losses = model(images(width=32), samples(), mode="loss")
    sum(losses.values()).backward()
    assert model.backbone.cls_token.grad.abs().max() > 0
    embeddings = model.eval()(images(width=32))
    torch.testing.assert_close(embeddings.norm(dim=1), torch.ones(4))


def test_maps_without_a_neck_explain_themselves():
    model = reid_model(BACKBONES["resnet18"][0], 512, neck=None)
    with pytest.raises(ValueError, match=r"\(4, 512, 2, 2\), but must be \(N, D\).*pooling"):
        model(images())


def test_last_stride_one_doubles_the_map():
    shapes = []
    for strides in ((1, 2, 2, 2), (1, 2, 2, 1)):
        backbone = dict(BACKBONES["resnet18"][0], strides=strides, norm_cfg=BIN)
        model = reid_model(backbone, 512).eval()
        shapes.append(tuple(model.backbone(images(1, 128, 64))[-1].shape))
    assert shapes == [(1, 512, 4, 2), (1, 512, 8, 4)]


def test_stem_activation_can_be_removed():
    pooled = {}
    for stem_relu in (True, False):
        torch.manual_seed(0)
        model = reid_model(BACKBONES["resnet18"][0], 512, stem_relu=stem_relu).eval()
        model.backbone.maxpool.register_forward_pre_hook(
            lambda _, inputs, key=stem_relu: pooled.update({key: inputs[0]})
        )
        model(images(1))
    assert pooled[False].min() < 0
    torch.testing.assert_close(pooled[True], pooled[False].relu())


@pytest.mark.parametrize("name", ["resnetv1d", "mobilenet_v2"])
def test_stem_activation_of_other_backbones_is_refused(name):
    backbone, in_channels = BACKBONES[name]
    with pytest.raises(ValueError, match=f"plain ResNet stem, not {backbone['type'][11:]}"):
        reid_model(backbone, in_channels, stem_relu=False)


def test_norm_eval_keeps_batch_instance_norms_in_evaluation():
    model = reid_model(dict(BACKBONES["resnet18"][0], norm_cfg=BIN, norm_eval=True), 512)
    layers = list(model.train().bin_layers().values())
    assert model.backbone.training
    assert not any(layer.training for layer in layers)
    before = layers[0].running_mean.clone()
    model(images(), samples(), mode="loss")
    assert torch.equal(layers[0].running_mean, before)
    assert model.head.neck.training


def test_frozen_stages_freeze_batch_instance_norms():
    backbone = dict(BACKBONES["resnet18"][0], norm_cfg=BIN, frozen_stages=1)
    model = reid_model(backbone, 512, train_gates=True).train()
    for name, layer in model.bin_layers().items():
        is_frozen = name.startswith(("backbone.bn1", "backbone.layer1"))
        assert layer.training != is_frozen, name
        assert all(p.requires_grad != is_frozen for p in layer.parameters()), name


@pytest.mark.parametrize("train_gates", [False, True])
def test_gates_are_frozen_unless_asked_for(train_gates):
    backbone = dict(BACKBONES["resnet18"][0], norm_cfg=BIN)
    model = reid_model(backbone, 512, train_gates=train_gates)
    layers = [m for m in model.modules() if isinstance(m, BatchInstanceNorm2d)]
    assert len(layers) == 20
    assert all(layer.gate.requires_grad == train_gates for layer in layers)
    assert all(layer.in_bias.requires_grad for layer in layers)
