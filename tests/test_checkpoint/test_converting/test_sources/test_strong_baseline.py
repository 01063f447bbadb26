from helpers.recorded_networks import empty, resnet
from helpers.source_checks import choice, refused, renamed


def test_names():
    names = ("base.layer1.0.bn1.weight", "bottleneck.bias", "classifier.weight")
    assert renamed("strong-baseline", *names, "base.fc.weight") == {
        "base.layer1.0.bn1.weight": "backbone.layer1.0.bn1.weight",
        "bottleneck.bias": "head.neck.bias",
        "classifier.weight": "head.classifier.weight",
    }
    assert refused("strong-baseline", "base.layer1.0.se_module.fc1.weight")


def test_choice():
    state = resnet((3, 4, 6, 3), "base.", True)
    found = choice("strong-baseline", state | empty("bottleneck.weight"))
    assert found.config == "reid_strong_baseline_r50" and "no ReLU" in found.assumed
    assert "model.head.with_neck" not in found.options
    found = choice("strong-baseline", state | empty("classifier.bias"))
    assert found.options["model.head.with_neck"] is False
    assert found.options["model.head.test_feature"] == "feats"
    assert found.options["model.head.classifier_bias"] is True
    found = choice("strong-baseline", state | empty("base.layer1.0.bn1.IN.weight"))
    assert found.config == "reid_strong_baseline_r50_ibn" and "a ReLU" in found.assumed
