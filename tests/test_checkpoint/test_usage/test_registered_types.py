"""Types of a recorded configuration are registered names; nothing is imported for them."""

import sys

import pytest
from mmcv.transforms import LoadImageFromFile
from mmengine.registry import MODELS as ROOT_MODELS
from mmpretrain.models.backbones import ResNet
from torch import nn

from mmreid_ext.checkpoint.usage.registered_types import registered_name, require_registered
from mmreid_ext.errors import UserError
from mmreid_ext.models import ReIDModel


def checked(**settings):
    require_registered(settings, "w.pth", ["my.net"])
    return settings


def test_classes_are_named_as_configurations_name_them():
    assert registered_name(ReIDModel) == "mmreid_ext.ReIDModel"
    assert registered_name(ResNet) == "mmpretrain.ResNet"
    assert registered_name(LoadImageFromFile) in (
        "LoadImageFromFile",
        "mmpretrain.LoadImageFromFile",
    )
    assert ROOT_MODELS.get(registered_name(nn.BatchNorm2d)) is nn.BatchNorm2d
    assert registered_name(nn.Flatten) == "torch.nn.modules.flatten.Flatten"


@pytest.mark.parametrize(
    "name, short",
    [
        ("ResNet", None),
        ("mmpretrain.ResNet", None),
        ("mmreid_ext.ReIDModel", None),
        ("mmengine.ImgDataPreprocessor", None),
        ("torchvision/Pad", None),
        ("mmpretrain.models.backbones.resnet.ResNet", "mmpretrain.ResNet"),
        ("mmpretrain.models.ResNet", "mmpretrain.ResNet"),
        ("mmreid_ext.models.ReIDModel", "mmreid_ext.ReIDModel"),
    ],
)
def test_registered_names_pass_and_full_names_get_short(name, short):
    assert checked(model=dict(parts=[dict(type=name)])) == dict(
        model=dict(parts=[dict(type=short or name)])
    )


@pytest.mark.parametrize(
    "name",
    [
        "os.system",
        "subprocess.Popen",
        "builtins.eval",
        "mmengine.load",
        "mmengine.fileio.load",
        "this_module.Net",
        "mmpretrain.NoSuchNet",
        "antigravity",
        "",
        None,
        3,
    ],
)
def test_other_names_are_refused_and_not_imported(name, tmp_path, monkeypatch):
    (tmp_path / "this_module.py").write_text("raise SystemExit('ran')")
    monkeypatch.syspath_prepend(tmp_path)
    for settings in (dict(model=dict(type=name)), dict(pipeline=[dict(a=(dict(type=name),))])):
        with pytest.raises(UserError, match=r"w\.pth: .*type=.* no registry .*my\.net"):
            checked(**settings)
    assert not {"antigravity", "this_module"} & set(sys.modules)


def test_scopes_and_libraries_that_would_run_code_are_refused():
    for settings in (dict(default_scope="evil"), dict(model=dict(type="ResNet", _scope_="evil"))):
        with pytest.raises(UserError, match="'evil' is in no registry"):
            checked(**settings)
    with pytest.raises(UserError, match="trust_remote_code=True would execute"):
        checked(model=dict(type="ResNet", trust_remote_code=True))
    assert checked(default_scope="mmpretrain") == dict(default_scope="mmpretrain")


def test_models_that_fetch_what_they_are_told_to_are_refused(monkeypatch):
    def build(**_):
        raise AssertionError

    build.__module__ = "mmpretrain.models.utils.huggingface"
    monkeypatch.setattr(
        ROOT_MODELS, "_module_dict", {**ROOT_MODELS.module_dict, "AutoModel": build}
    )
    with pytest.raises(UserError, match="'AutoModel' is in no registry"):
        checked(model=dict(type="AutoModel"))


@pytest.mark.parametrize("size", [(10**6, 10**6), (0, 8), "x", [], (True, 8), [4097, 8], None])
def test_sizes_that_would_fill_the_memory_are_refused(size):
    with pytest.raises(UserError, match=r"w\.pth: pipeline\[0\]\.scale=.* pixels from 1 to 4096"):
        checked(pipeline=[dict(type="Resize", scale=size)])
    for good in (256, (128, 64), [4096, 1]):
        checked(pipeline=[dict(type="Resize", scale=good), dict(type="CenterCrop", crop_size=8)])
