import pickle

import pytest
import torch
from helpers.recorded_networks import empty
from helpers.source_checks import choice, renamed

from mmreid_ext.checkpoint.converting import SOURCES, guess_source, read_foreign, translate
from mmreid_ext.errors import UserError

BLOCKS = {18: (2, 2, 2, 2), 50: (3, 4, 6, 3)}


def net(*names, depth=18, **shapes):
    """Names of a ResNet of PaddleClas, with one weight a block."""
    kind = "conv1" if depth == 18 else "conv2"
    blocks = [f"backbone.blocks.{i}.{kind}.conv.weight" for i in range(sum(BLOCKS[depth]))]
    return empty("backbone.stem.0.bn._mean", *blocks, *names, **shapes)


def test_blocks_are_numbered_through():
    beside = list(net(depth=50))
    names = {
        "backbone.stem.0.conv.weight": "backbone.conv1.weight",
        "backbone.stem.0.bn._variance": "backbone.bn1.running_var",
        "backbone.blocks.2.conv0.conv.weight": "backbone.layer1.2.conv1.weight",
        "backbone.blocks.3.conv1.bn.bias": "backbone.layer2.0.bn2.bias",
        "backbone.blocks.12.conv2.bn._mean": "backbone.layer3.5.bn3.running_mean",
        "backbone.blocks.13.short.conv.weight": "backbone.layer4.0.downsample.0.weight",
        "backbone.blocks.13.short.bn._mean": "backbone.layer4.0.downsample.1.running_mean",
    }
    assert renamed("paddleclas", *names, beside=beside) == names


def test_shortcuts_of_a_deep_stem_pool_first():
    beside = [*net(depth=50), "backbone.stem.1.conv.weight"]
    names = {
        "backbone.stem.2.bn.weight": "backbone.stem.2.bn.weight",
        "backbone.blocks.0.short.conv.weight": "backbone.layer1.0.downsample.0.weight",
        "backbone.blocks.3.short.conv.weight": "backbone.layer2.0.downsample.1.weight",
        "backbone.blocks.3.short.bn.bias": "backbone.layer2.0.downsample.2.bias",
    }
    assert renamed("paddleclas", *names, beside=beside) == names


def test_gates():
    beside = list(net(depth=50))
    names = {
        "backbone.blocks.0.conv0.bn.batch_norm.weight": "backbone.layer1.0.bn1.weight",
        "backbone.blocks.0.conv0.bn.batch_norm._mean": "backbone.layer1.0.bn1.running_mean",
        "backbone.blocks.0.conv0.bn.instance_norm.scale": "backbone.layer1.0.bn1.in_weight",
        "backbone.blocks.0.conv0.bn.instance_norm.bias": "backbone.layer1.0.bn1.in_bias",
        "backbone.blocks.0.conv0.bn.gate.gate": "backbone.layer1.0.bn1.gate",
        "backbone.stem.0.bn.gate.gate": "backbone.bn1.gate",
        "backbone.blocks.0.short.bn.gate.gate": "backbone.layer1.0.downsample.1.gate",
    }
    assert renamed("paddleclas", *names, beside=beside) == names


def test_linear_layers_are_transposed():
    values = {n: torch.arange(6.0).reshape(2, 3) for n in ("neck.fc.weight", "head.fc.weight")}
    found = translate(SOURCES["paddleclas"], net() | values).state
    assert found["head.embedding.weight"].equal(values["neck.fc.weight"].T)
    assert found["head.classifier.weight"].shape == (3, 2)
    found = translate(
        SOURCES["paddleclas"],
        net("loss_func.0.centers") | {"head.weight": values["head.fc.weight"]},
    )
    assert found.state["head.classifier.weight"].shape == (3, 2)
    assert list(found.dropped.values()) == [["loss_func.0.centers"]]


@pytest.mark.parametrize(
    "state, config",
    [
        (net("backbone.stem.0.bn.gate.gate", depth=50), "paddleclas_metabin_r50"),
        (net("neck.feat_bn.weight"), "paddleclas_strong_baseline_r50"),
        (net("head.fc.bias"), "paddleclas_baseline_r50"),
        (net(**{"neck.fc.weight": (2048, 128)}), "xbm_r50_sop"),
        (
            net("backbone.stem.1.conv.weight", **{"neck.fc.weight": (2048, 128)}),
            "arcmargin_r50vd_market",
        ),
    ],
)
def test_choice(state, config):
    found = choice("paddleclas", state | empty(**{"head.fc.weight": (128, 9)}))
    assert found.config == config and found.options["model.head.num_classes"] == 9
    if "neck.fc.weight" in state:
        assert found.options["model.head.embedding_dim"] == 128
    elif config == "paddleclas_baseline_r50":
        assert found.options["model.head.classifier_bias"] is True


def test_other_networks_are_refused():
    with pytest.raises(UserError, match="has 0 blocks, must be a ResNet"):
        choice("paddleclas", empty("backbone.stem.0.bn._mean"))


def test_a_file_is_recognised(tmp_path):
    state = {name: value.numpy() for name, value in net().items()}
    (tmp_path / "x.pdparams").write_bytes(pickle.dumps(state, 4))
    assert guess_source(read_foreign(tmp_path / "x.pdparams")).source.name == "paddleclas"
