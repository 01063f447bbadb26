from helpers.recorded_networks import empty, resnet
from helpers.source_checks import choice, refused, renamed


def test_names():
    assert renamed(
        "fastreid",
        *("backbone.layer1.0.bn1.IN.weight", "heads.bottleneck.0.running_var", "heads.weight"),
        *("heads.pool_layer.p",),
    ) == {
        "backbone.layer1.0.bn1.IN.weight": "backbone.layer1.0.bn1.IN.weight",
        "heads.bottleneck.0.running_var": "head.neck.running_var",
        "heads.weight": "head.classifier.weight",
        "heads.pool_layer.p": "neck.p",
    }
    assert renamed("fastreid", "heads.bnneck.bias", "heads.classifier.weight") == {
        "heads.bnneck.bias": "head.neck.bias",
        "heads.classifier.weight": "head.classifier.weight",
    }
    assert renamed("fastreid", "pixel_mean") == {}


def test_parts_that_this_package_lacks():
    names = ["backbone.NL_2.0.g.weight", "b1_head.bottleneck.0.weight", "heads.bottleneck.1.weight"]
    found = refused("fastreid", *names, "backbone.layer1.0.se.fc.0.weight", "b22.0.conv1.weight")
    assert [len(list_) for list_ in found.values()] == [1, 2, 1, 1]
    assert "non-local blocks" in next(iter(found)) and "MGN" in list(found)[1]


def test_choice():
    state = resnet(prefix="backbone.") | empty(**{"heads.weight": (9, 512)})
    found = choice("fastreid", state)
    assert found.config == "fastreid_r50"
    assert found.options["model.backbone.depth"] == 18
    assert found.options["model.head.num_classes"] == 9
    wide = resnet((3, 4, 6, 3), "backbone.", True)
    wide |= empty("backbone.layer1.0.bn1.IN.weight", "heads.pool_layer.p")
    found = choice("fastreid", wide)
    assert found.config == "fastreid_r50_ibn"
    assert found.options["model.neck.type"] == "mmreid_ext.GeneralizedMeanPooling"
