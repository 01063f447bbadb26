from helpers.recorded_networks import empty
from helpers.source_checks import choice, refused, renamed


def test_names():
    names = ("base.stages.0.blocks.0.attn.w_msa.qkv.bias", "base.semantic_embed_w.2.bias")
    assert renamed("solider", *names, "bottleneck.bias", "base.semantic_embed_b.3.bias") == {
        names[0]: "backbone.stages.0.blocks.0.attn.w_msa.qkv.bias",
        names[1]: "backbone.semantic_embed_w.2.bias",
        "bottleneck.bias": "head.neck.bias",
    }
    assert renamed("solider", "base.norm1.bias", "base.norm3.bias") == {
        "base.norm3.bias": "backbone.norm3.bias"
    }
    assert refused("solider", "fcneck.weight")


def test_choice():
    blocks = [f"base.stages.{s}.blocks.{n - 1}.x" for s, n in enumerate((2, 2, 18, 2))]
    state = empty(*blocks, **{"base.patch_embed.projection.weight": (96, 3)})
    found = choice("solider", state | empty("base.semantic_embed_w.0.weight"))
    assert found.options["model.backbone.arch"] == dict(
        embed_dims=96, depths=[2, 2, 18, 2], num_heads=[3, 6, 12, 24]
    )
    assert found.options["model.head.in_channels"] == 768 and "0.2" in found.assumed
    assert choice("solider", state).options["model.backbone.semantic_weight"] is None
