"""MMEngine and checkpoints after `enable_safe_checkpoints`."""

import os
import pickle
import re
from pathlib import Path

import numpy as np
import pytest
import torch
from mmengine.config import Config
from mmengine.hooks import CheckpointHook
from mmengine.logging import HistoryBuffer
from mmengine.model import BaseModel
from mmengine.runner import CheckpointLoader, Runner, load_checkpoint

from mmreid_ext.checkpoint import UnsafeCheckpointError
from mmreid_ext.checkpoint.starting import download
from mmreid_ext.compat import enable_safe_checkpoints


@pytest.fixture(autouse=True, scope="module")
def _safe():
    enable_safe_checkpoints()


class _Regressor(BaseModel):
    def __init__(self):
        super().__init__()
        self.linear = torch.nn.Linear(3, 1)
        self.bn = torch.nn.BatchNorm1d(1)

    def forward(self, inputs, targets, mode="tensor"):
        out = self.bn(self.linear(inputs))
        return {"loss": ((out - targets) ** 2).mean()} if mode == "loss" else out


class _Points(torch.utils.data.Dataset):
    metainfo = {
        "classes": ("a", "b"),
        "weights": np.array([0.5, 2.0]),
        "test_sets": {"unseen": {"camera_rule": True, "cut": np.int64(3)}},
    }

    def __init__(self):
        generator = torch.Generator().manual_seed(0)
        self.inputs = torch.randn(16, 3, generator=generator)
        self.targets = self.inputs.sum(1, keepdim=True)

    def __len__(self):
        return 16

    def __getitem__(self, index):
        return self.inputs[index], self.targets[index]


def _runner(work_dir, iterations, name, **kwargs):
    hook = dict(type="CheckpointHook", by_epoch=False, interval=2, **kwargs.pop("checkpoint", {}))
    torch.manual_seed(0)
    return Runner(
        model=_Regressor(),
        work_dir=str(work_dir),
        train_dataloader=dict(
            dataset=_Points(),
            batch_size=4,
            sampler=dict(type="InfiniteSampler", shuffle=False),
            collate_fn=dict(type="default_collate"),
        ),
        train_cfg=dict(by_epoch=False, max_iters=iterations),
        optim_wrapper=dict(optimizer=dict(type="Adam", lr=0.1)),
        param_scheduler=dict(type="StepLR", by_epoch=False, step_size=3, gamma=0.5, end=100),
        default_hooks=dict(checkpoint=hook, logger=dict(type="LoggerHook", interval=1)),
        randomness=dict(seed=0),
        log_level="WARNING",
        experiment_name=name,
        cfg=Config(dict(name=name)),
        **kwargs,
    )


def _assert_equal(left, right):
    if isinstance(left, torch.Tensor):
        assert torch.equal(left, right)
    elif isinstance(left, dict):
        assert left.keys() == right.keys()
        for key in left:
            _assert_equal(left[key], right[key])
    elif isinstance(left, (list, tuple)):
        assert len(left) == len(right)
        for one, other in zip(left, right, strict=True):
            _assert_equal(one, other)
    else:
        assert left == right


def test_interrupted_training_resumes_to_the_same_end(tmp_path):
    """Six iterations in one go, and four then two after a resume: equal to the last bit."""
    whole = _runner(tmp_path / "whole", 6, "whole")
    whole.train()
    _runner(tmp_path / "parts", 4, "first").train()
    second = _runner(tmp_path / "parts", 6, "second", resume=True)
    second.train()
    assert second.iter == 6
    _assert_equal(whole.model.state_dict(), second.model.state_dict())
    _assert_equal(whole.optim_wrapper.state_dict(), second.optim_wrapper.state_dict())
    assert whole.param_schedulers[0].last_step == second.param_schedulers[0].last_step
    logged = [runner.message_hub.get_scalar("train/loss") for runner in (whole, second)]
    assert all(isinstance(buffer, HistoryBuffer) for buffer in logged)
    np.testing.assert_array_equal(logged[0].data[0], logged[1].data[0])
    assert len(logged[0].data[0]) == 6


def test_resume_does_not_claim_that_the_data_set_changed(tmp_path, caplog):
    """MMEngine compares pickles of the metainfo: its types must come back exactly."""
    _runner(tmp_path, 2, "meta-first").train()
    second = _runner(tmp_path, 4, "meta-second", resume=True)
    warnings_seen = []
    second.logger.warning = lambda message, *a: warnings_seen.append(message)
    second.train()
    assert not [message for message in warnings_seen if "metainfo" in message]


def test_own_checkpoint_is_read_by_plain_weights_only_loading(tmp_path):
    _runner(tmp_path, 2, "plain").train()
    loaded = torch.load(tmp_path / "iter_2.pth", weights_only=True)
    assert set(loaded) >= {"meta", "state_dict", "message_hub", "optimizer", "param_schedulers"}


def _upstream_checkpoint(path):
    """Write a file with everything MMEngine itself pickles: the state of the released 0.10.7."""
    history = HistoryBuffer([1.5, 2.5], [1, 1])
    checkpoint = {
        "meta": {"epoch": 0, "iter": 2, "dataset_meta": {"weights": np.arange(6.0).reshape(2, 3)}},
        "state_dict": _Regressor().state_dict(),
        "message_hub": {
            "log_scalars": {"train/loss": history},
            "runtime_info": {"best": np.float64(0.25), "config": Config({"a": [1]})._cfg_dict},
            "resumed_keys": {"train/loss": True},
        },
    }
    torch.save(checkpoint, path)
    return checkpoint


def test_checkpoint_of_unpatched_mmengine_loads(tmp_path):
    path = tmp_path / "upstream.pth"
    saved = _upstream_checkpoint(path)
    loaded = CheckpointLoader.load_checkpoint(str(path), map_location="cpu")
    _assert_equal(dict(saved["state_dict"]), dict(loaded["state_dict"]))
    assert loaded["state_dict"]._metadata == saved["state_dict"]._metadata
    np.testing.assert_array_equal(
        loaded["meta"]["dataset_meta"]["weights"], np.arange(6.0).reshape(2, 3)
    )
    hub = loaded["message_hub"]
    assert type(hub["log_scalars"]["train/loss"]) is HistoryBuffer
    assert hub["log_scalars"]["train/loss"].mean() == 2.0
    assert type(hub["runtime_info"]["best"]) is np.float64
    assert hub["runtime_info"]["config"].a == [1]


class _Malicious:
    def __init__(self, target):
        self.target = target

    def __reduce__(self):
        return os.system, (f"touch {self.target}",)


@pytest.fixture
def malicious(tmp_path):
    path = tmp_path / "malicious.pth"
    plain = dict(state_dict={}, optimizer=dict(state={}), param_schedulers=[], message_hub={})
    torch.save({**plain, "meta": _Malicious(tmp_path / "owned")}, path)
    return path


def test_malicious_checkpoint_is_refused_by_load_checkpoint(malicious):
    message = rf"{re.escape(str(malicious))} was refused: it asks for (posix|nt)\.system"
    with pytest.raises(UnsafeCheckpointError, match=message):
        load_checkpoint(_Regressor(), str(malicious))
    assert not (malicious.parent / "owned").exists()


@pytest.mark.parametrize("how", [{"resume": True}, {"resume": False}], ids=["resume", "load_from"])
def test_malicious_checkpoint_is_refused_by_the_runner(malicious, how):
    runner = _runner(
        malicious.parent / "run", 2, f"bad-{how['resume']}", load_from=str(malicious), **how
    )
    with pytest.raises(UnsafeCheckpointError, match="malicious.pth was refused"):
        runner.train()
    assert not (malicious.parent / "owned").exists()


def test_environment_variable_does_not_open_the_door(malicious, monkeypatch):
    monkeypatch.setenv("TORCH_FORCE_NO_WEIGHTS_ONLY_LOAD", "1")
    with pytest.raises(UnsafeCheckpointError):
        load_checkpoint(_Regressor(), str(malicious))


def test_explicit_request_for_full_pickle_is_not_granted(malicious):
    """OneDL's MMEngine falls back to ``weights_only=False`` by itself."""
    from mmengine.runner import checkpoint

    with pytest.raises(UnsafeCheckpointError):
        checkpoint.torch.load(str(malicious), weights_only=False)


def test_downloaded_checkpoint_is_loaded_safely(malicious, monkeypatch):
    monkeypatch.setenv("TORCH_HOME", str(malicious.parent / "home"))
    url = malicious.as_uri().replace("file:///", "http://localhost/")
    monkeypatch.setattr(download, "why_unreachable", lambda *_: None)
    monkeypatch.setattr(
        torch.hub,
        "download_url_to_file",
        lambda url, path, progress: Path(path).write_bytes(malicious.read_bytes()),
    )
    with pytest.raises(UnsafeCheckpointError, match="malicious.pth was refused"):
        load_checkpoint(_Regressor(), url)


def test_crash_while_saving_leaves_the_old_checkpoint(tmp_path, monkeypatch):
    """The disk fills up in the middle of the second save, with only one checkpoint kept."""
    first = _runner(tmp_path, 2, "crash-first", checkpoint=dict(max_keep_ckpts=1))
    first.train()
    before = (tmp_path / "iter_2.pth").read_bytes()

    def half_then_fail(descriptor):
        raise OSError("no space left on device")

    second = _runner(tmp_path, 4, "crash-second", resume=True, checkpoint=dict(max_keep_ckpts=1))
    monkeypatch.setattr(os, "fsync", half_then_fail)
    with pytest.raises(OSError, match="no space left"):
        second.train()
    monkeypatch.undo()
    assert (tmp_path / "iter_2.pth").read_bytes() == before
    assert Path((tmp_path / "last_checkpoint").read_text()).name == "iter_2.pth"
    assert [p.name for p in tmp_path.iterdir() if ".pth" in p.name] == ["iter_2.pth"]
    third = _runner(tmp_path, 4, "crash-third", resume=True, checkpoint=dict(max_keep_ckpts=1))
    third.train()
    assert [p.name for p in tmp_path.glob("*.pth")] == ["iter_4.pth"]


def test_crash_while_noting_the_last_checkpoint_leaves_the_old_note(tmp_path, monkeypatch):
    _runner(tmp_path, 2, "note-first").train()
    real = os.replace

    def fail_for_note(source, target):
        if Path(target).name == "last_checkpoint":
            raise OSError("killed")
        real(source, target)

    second = _runner(tmp_path, 4, "note-second", resume=True)
    monkeypatch.setattr(os, "replace", fail_for_note)
    with pytest.raises(OSError, match="killed"):
        second.train()
    assert Path((tmp_path / "last_checkpoint").read_text()).name == "iter_2.pth"


def test_enabling_twice_wraps_once():
    before = CheckpointHook._save_checkpoint_with_step
    enable_safe_checkpoints()
    assert CheckpointHook._save_checkpoint_with_step is before


def test_unsafe_error_is_an_unpickling_error():
    """Code written for PyTorch's own refusal keeps working."""
    assert issubclass(UnsafeCheckpointError, pickle.UnpicklingError)
