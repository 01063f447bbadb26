"""What decides a network's function, and its weights don't show, is collected."""

from torch import nn

from mmreid_ext.checkpoint.usage.network_settings import STRIDES, network_settings


class Base(nn.Module):
    def __init__(self, strides=(1, 2), drop_rate=0.5):
        super().__init__()


class Backbone(Base):
    def __init__(self, norm_cfg=None, **kwargs):
        super().__init__(**kwargs)
        self.conv = nn.Conv2d(3, 4, 3, stride=(2, 1))
        self.other = nn.Conv2d(3, 4, 3)
        self.pool = nn.MaxPool2d(2)


class Model(nn.Module):
    def __init__(self):
        super().__init__()
        self.backbone, self.head, self.neck = Backbone(), nn.Identity(), None
        self.head.test_feature = "feats"


def test_a_model_that_was_given_built_shows_strides_pooling_and_feature():
    settings = network_settings(Model(), None)
    assert settings == {
        STRIDES: {"backbone.conv": [2, 1], "backbone.pool": [2, 2]},
        "neck.type": None,
        "head.test_feature": "feats",
    }


def test_defaults_of_bases_count_and_the_configuration_comes_before_them():
    settings = network_settings(Model(), dict(backbone=dict(type=Backbone, strides=(2, 2))))
    assert settings["backbone.type"] == "Backbone"
    assert settings["backbone.strides"] == [2, 2]
    assert settings["backbone.norm_cfg"] is None
    assert settings["stem_relu"] is True
    assert network_settings(Model(), {})["backbone.strides"] == [1, 2]


def test_settings_of_training_are_left_out():
    assert not any("drop_rate" in name for name in network_settings(Model(), {}))


def test_batch_norms_of_one_function_have_one_name():
    for kind in ("BN", "SyncBN", "mmreid_ext.SyncBN"):
        norm = dict(norm_cfg=dict(type=kind))
        settings = network_settings(Model(), dict(backbone=norm))
        assert settings["backbone.norm_cfg.type"] == "BN"
    bins = dict(norm_cfg=dict(type="mmreid_ext.BIN"))
    assert network_settings(Model(), dict(backbone=bins))["backbone.norm_cfg.type"] == "BIN"
