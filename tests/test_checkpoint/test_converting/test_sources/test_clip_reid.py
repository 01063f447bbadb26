import torch
from helpers.source_checks import choice

from mmreid_ext.checkpoint.converting import SOURCES, translate

IMAGE = "image_encoder."


def weights():
    block = f"{IMAGE}transformer.resblocks.0."
    shapes = {
        f"{IMAGE}class_embedding": (64,),
        f"{IMAGE}positional_embedding": (129, 64),
        f"{IMAGE}proj": (64, 32),
        f"{IMAGE}conv1.weight": (64, 3, 16, 16),
        f"{IMAGE}ln_pre.bias": (64,),
        f"{block}attn.in_proj_bias": (192,),
        f"{block}ln_2.weight": (64,),
        f"{block}mlp.c_fc.weight": (256, 64),
        "bottleneck.weight": (64,),
        "bottleneck_proj.weight": (32,),
        "bottleneck.num_batches_tracked": (),
        "bottleneck_proj.num_batches_tracked": (),
        "classifier.weight": (5, 64),
        "classifier_proj.weight": (5, 32),
        "prompt_learner.x": (1,),
    }
    return {name: torch.randn(shape) for name, shape in shapes.items()}


def test_two_parts_become_one():
    given = weights()
    found = translate(SOURCES["clip-reid"], given)
    state = found.state
    both = given["bottleneck.weight"], given["bottleneck_proj.weight"]
    assert state["head.neck.weight"].equal(torch.cat(both))
    both = given["classifier.weight"], given["classifier_proj.weight"]
    assert state["head.classifier.weight"].equal(torch.cat(both, 1))
    assert state["neck.projection.weight"].equal(given[f"{IMAGE}proj"].T)
    assert state["backbone.cls_token"].shape == (1, 1, 64)
    assert state["backbone.pos_embed"].shape == (1, 129, 64)
    assert list(found.dropped.values()) == [["prompt_learner.x"]]
    names = {n for n in state if n.startswith("backbone.")} - {"backbone.cls_token"}
    assert names == {
        *("backbone.pos_embed", "backbone.patch_embed.projection.weight"),
        *("backbone.pre_norm.bias", "backbone.layers.0.attn.qkv.bias"),
        *("backbone.layers.0.ln2.weight", "backbone.layers.0.ffn.layers.0.0.weight"),
    }


def test_choice():
    found = choice("clip-reid", weights())
    assert found.options["model.head.in_channels"] == 96
    assert found.options["model.neck.projected_channels"] == 32
    assert found.options["model.head.num_classes"] == 5
    assert found.options["model.backbone.img_size"] == (256, 128)
    assert found.options["model.backbone.arch"]["num_layers"] == 1


def test_parts_that_this_package_lacks():
    given = weights() | {"cv_embed": torch.ones(1), f"{IMAGE}attnpool.x": torch.ones(1)}
    assert len(translate(SOURCES["clip-reid"], given).refused) == 2
