from helpers.recorded_networks import empty, resnet
from helpers.source_checks import choice, refused, renamed


def vit(**others):
    shapes = {
        "pos_embed": (1, 197, 384),
        "patch_embed.proj.weight": (384, 3, 16, 16),
        "blocks.0.mlp.fc1.weight": (1536, 384),
    }
    return empty("blocks.11.norm1.weight", **shapes, **others)


def test_names():
    names = ("blocks.0.attn.qkv.weight", "norm.bias", "blocks.1.ls1.gamma", "head.weight")
    assert renamed("timm", *names, beside=("pos_embed",)) == {
        "blocks.0.attn.qkv.weight": "backbone.layers.0.attn.qkv.weight",
        "norm.bias": "backbone.ln1.bias",
        "blocks.1.ls1.gamma": "backbone.layers.1.attn.gamma1.weight",
    }
    names = ("conv1.3.weight", "layer1.0.downsample.1.weight", "layer2.0.downsample.1.weight")
    assert renamed("timm", *names, beside=("conv1.0.weight",)) == {
        "conv1.3.weight": "backbone.stem.1.conv.weight",
        "layer1.0.downsample.1.weight": "backbone.layer1.0.downsample.0.weight",
        "layer2.0.downsample.1.weight": "backbone.layer2.0.downsample.1.weight",
    }
    assert renamed("timm", "layer1.0.conv1.weight", "fc.bias") == {
        "layer1.0.conv1.weight": "backbone.layer1.0.conv1.weight"
    }
    assert len(refused("timm", "reg_token", "dist_token")) == 2


def test_choice():
    found = choice("timm", vit())
    assert found.config == "timm_vit_s16" and "0.5" in found.assumed
    assert found.options["model.backbone.img_size"] == (224, 224)
    assert found.options["model.backbone.arch"]["num_layers"] == 12
    assert choice("timm", vit(**{"blocks.0.ls1.gamma": 1})).config == "timm_dinov2_s14"
    assert choice("timm", resnet()).config == "timm_r50"
    assert choice("timm", resnet() | empty("conv1.0.weight")).config == "timm_r50d"
