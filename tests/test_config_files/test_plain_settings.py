"""A configuration of data names registered types, and nothing that would be imported or run."""

import sys

import pytest

from mmreid_ext.config_files import read_config_file
from mmreid_ext.config_files.plain_settings import require_plain
from mmreid_ext.errors import UserError


def checked(**settings):
    require_plain(settings, "x.yml")
    return settings


TYPES = [
    "os.system",
    "subprocess.Popen",
    "evil.Net",
    "mmengine.load",
    "mmengine.fileio.load",
    "mmpretrain.NoSuchNet",
    "mmreid_ext.cli.errors.run_tool",
    "torch.hub.load",
    "a b.c",
    [1],
    3,
    dict(a=1),
]


@pytest.mark.parametrize("name", TYPES, ids=str)
def test_types_that_no_registry_has(tmp_path, monkeypatch, name):
    (tmp_path / "evil.py").write_text("raise SystemExit('ran')")
    monkeypatch.chdir(tmp_path)
    for settings in (
        dict(model=dict(type=name)),
        dict(custom_hooks=[dict(a=(dict(type=name),))]),
        dict(optim_wrapper=dict(optimizer=dict(type=name, lr=0.1))),
    ):
        with pytest.raises(
            UserError, match=r"^x\.yml: .*type=.*(no registered|name of a)"
        ) as error:
            checked(**settings)
        assert "\n" not in str(error.value)
    assert "evil" not in sys.modules


def test_other_entries_that_mmengine_looks_up():
    for settings in (
        dict(runner_type="os.system"),
        dict(custom_hooks=[dict(type="EMAHook", ema_type="os.system")]),
        dict(optim_wrapper=dict(constructor="os.system")),
    ):
        with pytest.raises(UserError, match="'os.system' is no registered type"):
            checked(**settings)
    for settings in (dict(default_scope="evil"), dict(model=dict(type="A", _scope_=["evil"]))):
        with pytest.raises(UserError, match="takes its types from .*mmreid_ext"):
            checked(**settings)


def test_registered_types_pass_and_full_names_get_short():
    settings = dict(
        default_scope="mmpretrain",
        model=dict(type="mmreid_ext.ReIDModel", norm=None, backbone=dict(type="ResNet")),
        data_preprocessor=dict(type="mmpretrain.models.utils.ClsDataPreprocessor"),
        hooks=[dict(type="mmengine.hooks.ema_hook.EMAHook"), dict(type=None)],
        optim_wrapper=dict(constructor="mmreid_ext.ReIDOptimWrapperConstructor"),
        pipeline=[dict(type="torchvision/Pad"), dict(type="misspelt")],
        load_from="weights/best.one.pth",
    )
    found = checked(**settings)
    assert found["model"]["type"] == "mmreid_ext.ReIDModel"
    assert found["data_preprocessor"]["type"] == "mmpretrain.ClsDataPreprocessor"
    assert found["hooks"][0]["type"] in ("EMAHook", "mmengine.EMAHook")
    assert found["pipeline"][1]["type"] == "misspelt"  # MMEngine says what is near


@pytest.mark.parametrize(
    "settings, message",
    [
        (dict(a=[dict(trust_remote_code=True)]), "trust_remote_code=True would execute"),
        (
            dict(a=dict(type="torchvision/ConvertImageDtype", dtype="int8 if open('x') else 0")),
            "a.dtype: .* MMPretrain would execute",
        ),
        (dict(test=dict(ann_file="data/list.PKL")), "names a pickle"),
        ({"a": {"b': __import__('os').system('id'), 'c": 1}}, "is no name of a setting"),
        ({"a": {("b", "c"): 1}}, "is no name of a setting"),
    ],
)
def test_arguments_that_would_be_executed(settings, message):
    with pytest.raises(UserError, match=message) as error:
        require_plain(settings, "x.yml")
    assert "\n" not in str(error.value)


def test_deep_settings_end_in_a_line(tmp_path):
    (tmp_path / "x.json").write_text('{"a": ' * 300 + "1" + "}" * 300)
    with pytest.raises(UserError, match="deeper than 100 levels"):
        read_config_file(tmp_path / "x.json")
