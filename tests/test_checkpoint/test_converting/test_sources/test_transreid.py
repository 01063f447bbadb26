from helpers.recorded_networks import empty
from helpers.source_checks import choice, refused, renamed


def test_names():
    assert renamed(
        "transreid",
        *("base.cls_token", "base.blocks.3.attn.proj.bias", "base.norm.weight", "base.fc.bias"),
        *("bottleneck.bias", "classifier.weight"),
    ) == {
        "base.cls_token": "backbone.cls_token",
        "base.blocks.3.attn.proj.bias": "backbone.layers.3.attn.proj.bias",
        "base.norm.weight": "backbone.ln1.weight",
        "bottleneck.bias": "head.neck.bias",
        "classifier.weight": "head.classifier.weight",
    }


def test_parts_that_this_package_lacks():
    found = refused("transreid", "base.sie_embed", "b1.0.attn.qkv.weight", "bottleneck_2.bias")
    assert [len(names) for names in found.values()] == [1, 2]
    assert "cameras" in next(iter(found))


def test_choice():
    shapes = {"base.pos_embed": (1, 211, 384), "base.blocks.0.mlp.fc1.weight": (1536, 384)}
    found = choice("transreid", empty("base.blocks.11.x", **shapes))
    assert found.config == "transreid_vit_b16" and "256 x 128" in found.assumed
    assert found.options["model.backbone.patch_cfg.stride"] == 12
    assert found.options["model.head.in_channels"] == 384
