from helpers.recorded_networks import empty, resnet
from helpers.source_checks import choice, refused, renamed


def test_names_of_osnet():
    beside = ("conv1.conv.weight",)
    names = ("conv2.0.conv2b.1.bn.weight", "fc.0.weight", "classifier.bias", "conv2.0.IN.bias")
    assert renamed("torchreid", *names, beside=beside) == {
        "conv2.0.conv2b.1.bn.weight": "backbone.conv2.0.conv2b.1.bn.weight",
        "fc.0.weight": "backbone.fc.0.weight",
        "classifier.bias": "head.classifier.bias",
        "conv2.0.IN.bias": "backbone.conv2.0.IN.bias",
    }
    names = ("conv3.1.conv2.3.layers.2.conv1.weight", "pool2.0.bn.bias")
    assert renamed("torchreid", *names, beside=beside) == {
        "conv3.1.conv2.3.layers.2.conv1.weight": "backbone.conv3.1.conv2d.2.conv1.weight",
        "pool2.0.bn.bias": "backbone.conv2.2.0.bn.bias",
    }


def test_names_of_resnet_and_mobilenet():
    assert renamed("torchreid", "layer1.0.conv1.weight", "fc.1.running_mean") == {
        "layer1.0.conv1.weight": "backbone.layer1.0.conv1.weight",
        "fc.1.running_mean": "neck.fc.1.running_mean",
    }
    beside = ("conv1.conv.weight", "conv2.0.dwconv2.conv.weight")
    names = ("conv2.0.conv3.0.weight", "conv2.0.conv3.1.bias", "conv9.bn.weight", "conv1.bn.bias")
    assert renamed("torchreid", *names, beside=beside) == {
        "conv2.0.conv3.0.weight": "backbone.layer2.0.conv3.conv.weight",
        "conv2.0.conv3.1.bias": "backbone.layer2.0.conv3.bn.bias",
        "conv9.bn.weight": "backbone.layer9.bn.weight",
        "conv1.bn.bias": "backbone.layer1.bn.bias",
    }


def test_choice():
    stem = {"conv1.conv.weight": (16, 3), "classifier.weight": (7, 512)}
    found = choice("torchreid", empty("conv1.bn.running_mean", "classifier.bias", **stem))
    assert found.config == "torchreid_osnet"
    assert found.options == {
        "model.head.num_classes": 7,
        "model.head.classifier_bias": True,
        "model.backbone.width": 0.25,
    }
    assert choice("torchreid", empty(**stem)).config == "torchreid_osnet_ibn"
    ain = empty("conv2.0.conv2.0.layers.0.conv1.weight", **stem)
    assert choice("torchreid", ain).config == "torchreid_osnet_ain"
    assert choice("torchreid", resnet()).config == "torchreid_r50"
    found = choice("torchreid", resnet() | empty(**{"fc.0.weight": (512, 2048)}))
    assert found.config == "torchreid_r50_fc512"
    assert found.options["model.neck.in_channels"] == 512  # of a ResNet-18
    mobile = {"conv2.0.dwconv2.conv.weight": 1, "conv9.conv.weight": (1280, 3)}
    mobile["conv8.0.conv3.0.weight"] = (160, 3)
    found = choice("torchreid", empty(**stem, **mobile))
    assert found.config == "torchreid_mobilenetv2"
    assert found.options["model.head.in_channels"] == 1280
    assert found.options["model.backbone.width"] == 0.5


def test_parts_that_this_package_lacks():
    assert refused("torchreid", "global_fc.0.weight")
