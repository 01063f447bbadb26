"""Checkpoints get their record of use, and are compared with the configuration when loaded."""

from types import SimpleNamespace

import pytest
import torch
from helpers.tiny_reid import tiny_model
from mmengine.config import Config
from torch import nn

from mmreid_ext.checkpoint.usage import KEY, recorded_size
from mmreid_ext.engine.hooks import DeploymentInfoHook, deployment_info_hook
from mmreid_ext.errors import UserError
from mmreid_ext.evaluation.reid_metric import ReIDMetric
from mmreid_ext.registry import HOOKS, MODELS

PIPELINE = [dict(type="LoadImageFromFile"), dict(type="Resize", scale=(8, 16))]


class Wrapper(nn.Module):
    def __init__(self, module):
        super().__init__()
        self.module = module


@pytest.fixture
def runner():
    settings = tiny_model()
    loader = dict(dataset=dict(pipeline=PIPELINE))
    return SimpleNamespace(
        model=Wrapper(MODELS.build(settings)),
        cfg=Config(dict(model=settings, test_dataloader=loader)),
        _train_loop=None,
        _load_from="file.pth",
    )


def saved_by(runner):
    checkpoint = dict(meta={}, state_dict=runner.model.module.state_dict())
    DeploymentInfoHook().before_save_checkpoint(runner, checkpoint)
    return checkpoint


def test_embedding_input_and_network_are_recorded(runner):
    checkpoint = saved_by(runner)
    info = checkpoint["meta"][KEY]
    assert info["embedding"]["size"] == 16
    assert (info["input"]["height"], info["input"]["width"]) == (16, 8)
    assert info["network"]["backbone.strides"] == [1, 2]
    assert recorded_size(checkpoint) is not None


def test_what_contradicts_the_configuration_stops_a_test_and_no_training(runner):
    checkpoint = saved_by(runner)
    hook = HOOKS.build(dict(type="mmreid_ext.DeploymentInfoHook"))
    hook.after_load_checkpoint(runner, checkpoint)  # they agree
    checkpoint["meta"][KEY]["input"]["channel_order"] = "other"
    for not_built in (None, dict(type="ReIDTrainLoop")):
        runner._train_loop = not_built
        with pytest.raises(UserError, match="file.pth.*input.channel_order"):
            hook.after_load_checkpoint(runner, checkpoint)
    runner._train_loop = object()
    hook.after_load_checkpoint(runner, checkpoint)


def test_position_embeddings_get_the_recorded_size(runner, monkeypatch):
    calls = []
    monkeypatch.setattr(deployment_info_hook, "resize_loaded", lambda *args: calls.append(args))
    checkpoint = saved_by(runner)
    DeploymentInfoHook().after_load_checkpoint(runner, checkpoint)
    ((backbone, state, prefix, size),) = calls
    assert backbone is runner.model.module.backbone and state is checkpoint["state_dict"]
    assert (prefix, size) == ("backbone.", recorded_size(checkpoint))
    del checkpoint["meta"][KEY]
    DeploymentInfoHook().after_load_checkpoint(runner, checkpoint)
    assert len(calls) == 1


def test_the_configuration_is_recorded_or_it_is_said_once_why_not(runner, monkeypatch):
    said = []
    monkeypatch.setattr(deployment_info_hook, "print_log", lambda text, **_: said.append(text))
    found = saved_by(runner)["meta"][KEY]["config"]
    assert found["model"]["type"] == "mmreid_ext.ReIDModel" and said == []
    runner.cfg["model"]["head"]["losses"]["ce"] = nn.Identity()
    hook, checkpoint = DeploymentInfoHook(), dict(meta={})
    for _ in range(2):
        hook.before_save_checkpoint(runner, checkpoint)
    assert "config" not in checkpoint["meta"][KEY]
    assert len(said) == 1 and "model.head.losses.ce is of type Identity" in said[0]


@pytest.mark.parametrize("validated, saved, kept", [(4, 4, True), (2, 4, False), (4, 2, False)])
def test_the_last_checkpoint_keeps_thresholds_of_its_own_weights(
    runner, tmp_path, monkeypatch, validated, saved, kept
):
    calls = []
    monkeypatch.setattr(deployment_info_hook, "keep_thresholds", lambda *a: calls.append(a))
    path = tmp_path / "last.pth"
    torch.save(dict(state_dict={}, meta=dict(iter=saved)), path)
    (tmp_path / "last_checkpoint").write_text(str(path))
    metric = ReIDMetric()
    runner.work_dir, runner.iter = str(tmp_path), validated
    runner.val_loop = SimpleNamespace(evaluator=SimpleNamespace(metrics=[metric, object()]))
    hook = DeploymentInfoHook()
    hook.after_val_epoch(runner)
    runner.iter = 4
    hook.after_train(runner)
    assert [call[:2] for call in calls] == ([(str(path), metric)] if kept else [])
