"""The hook takes two more settings, and refuses values that are none."""

import inspect

import pytest
from mmengine.hooks import CheckpointHook

from mmreid_ext.checkpoint.saving.settings import Settings, settings_of
from mmreid_ext.errors import UserError


def test_settings_are_taken_and_go_no_further():
    hook = CheckpointHook(interval=1, background=True, disk_full="stop")
    assert settings_of(hook) == Settings(True, "stop") and hook.args == {}
    assert settings_of(CheckpointHook()) == settings_of(object()) == Settings(False, "continue")


@pytest.mark.parametrize("wrong", [dict(background="yes"), dict(disk_full="wait")])
def test_other_values_are_refused(wrong):
    (name,) = wrong
    with pytest.raises(UserError, match=rf"checkpoint\.{name}='{wrong[name]}', must be"):
        CheckpointHook(**wrong)


def test_signature_names_them():
    parameters = inspect.signature(CheckpointHook.__init__).parameters
    assert {"interval", "background", "disk_full"} <= parameters.keys()
