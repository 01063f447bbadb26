"""A process is made ready for one rank and for several."""

from datetime import timedelta

import pytest
from mmengine.config import Config

from mmreid_ext.cli import launch
from mmreid_ext.errors import UserError


def test_world_size_announced_by_the_launcher(monkeypatch):
    for names in launch.ANNOUNCED.values():
        for name in names:
            monkeypatch.setenv(name, "0")
    monkeypatch.setenv("WORLD_SIZE", "4")
    monkeypatch.setenv("SLURM_NTASKS", "8")
    sizes = [launch.expected_world_size(name) for name in ("none", "pytorch", "slurm")]
    assert sizes == [1, 4, 8]
    monkeypatch.delenv("WORLD_SIZE")
    with pytest.raises(UserError, match="pytorch expects WORLD_SIZE .*dist_train.sh"):
        launch.expected_world_size("pytorch")


def test_prepare_on_one_rank(monkeypatch):
    monkeypatch.setenv("LOCAL_RANK", "0")
    loader = dict(batch_size=48, sampler=dict(type="mmreid_ext.PKSampler"))
    loop = dict(type="mmreid_ext.ReIDTrainLoop")
    cfg = Config(dict(train_dataloader=loader, train_cfg=loop, batch_size_is_global=True))
    assert launch.prepare(cfg) is cfg
    assert cfg.train_dataloader == loader  # the loop divides
    assert "model_wrapper_cfg" not in cfg


def test_any_number_of_ranks_can_test(monkeypatch):
    """Whatever the training batch is, and whichever loop trains."""
    monkeypatch.setattr(launch, "_start_group", lambda cfg: None)
    for name in ("RANK", "LOCAL_RANK", "MASTER_ADDR", "MASTER_PORT"):
        monkeypatch.setenv(name, "0")
    monkeypatch.setenv("WORLD_SIZE", "3")
    for loop in ("mmreid_ext.ReIDTrainLoop", "mmengine.IterBasedTrainLoop"):
        cfg = Config(
            dict(
                launcher="pytorch",
                batch_size_is_global=True,
                train_cfg=dict(type=loop, max_iters=1),
                train_dataloader=dict(batch_size=64),
            )
        )
        assert launch.prepare(cfg).train_dataloader.batch_size == 64


@pytest.fixture
def joined(monkeypatch):
    """What is handed to the process group, instead of starting it."""
    calls = []

    def join(backend, timeout, cfg=None, **options):
        calls.append((backend, timeout.total_seconds(), options))
        return dict(resume=len(calls) > 1)

    monkeypatch.setattr(launch, "join", join)
    monkeypatch.setattr(launch, "set_device", lambda: calls.append("device"))
    return calls


def config(**dist_cfg):
    return Config(dict(launcher="pytorch", env_cfg=dict(dist_cfg=dist_cfg)))


@pytest.mark.parametrize("timeout", [77, timedelta(seconds=77)])
def test_timeout_of_the_configuration_holds_on_gloo(joined, monkeypatch, timeout):
    monkeypatch.setattr(launch.torch.cuda, "is_available", lambda: False)
    cfg = config(backend="nccl", timeout=timeout)
    launch._start_group(cfg)
    assert joined == [("gloo", 77.0, {})]
    assert cfg.model_wrapper_cfg.type == "mmengine.MMDistributedDataParallel"
    launch._start_group(config(backend="nccl"))
    assert joined[1:] == [("gloo", 300.0, {})]


def test_timeout_of_the_configuration_holds_on_nccl(joined, monkeypatch):
    monkeypatch.setattr(launch.torch.cuda, "is_available", lambda: True)
    cfg = config(backend="nccl", timeout=77, pg_options=None)
    launch._start_group(cfg)
    assert joined == ["device", ("nccl", 77.0, dict(pg_options=None))]
    assert "model_wrapper_cfg" not in cfg
    launch._start_group(config(init_backend="deepspeed"))  # MMEngine's affair
    assert len(joined) == 2


def test_ranks_that_were_started_again_by_hand_resume_with_the_others(joined, monkeypatch):
    monkeypatch.setattr(launch.torch.cuda, "is_available", lambda: False)
    alone, together = config(), config()
    launch._start_group(alone)
    launch._start_group(together)
    assert "resume" not in alone and together.resume is True


@pytest.mark.parametrize("given, found", [(None, ":4096:8"), (":16:8", ":16:8")])
def test_deterministic_runs_tell_cublas(monkeypatch, given, found):
    monkeypatch.delenv("CUBLAS_WORKSPACE_CONFIG", raising=False)
    launch.prepare(Config(dict(randomness=dict(seed=0))))
    assert "CUBLAS_WORKSPACE_CONFIG" not in launch.os.environ
    if given is not None:
        monkeypatch.setenv("CUBLAS_WORKSPACE_CONFIG", given)
    launch.prepare(Config(dict(randomness=dict(deterministic=True))))
    assert launch.os.environ["CUBLAS_WORKSPACE_CONFIG"] == found
    monkeypatch.setenv("CUBLAS_WORKSPACE_CONFIG", "")  # what prepare has set goes with the test
    monkeypatch.delenv("CUBLAS_WORKSPACE_CONFIG")


@pytest.mark.parametrize(
    "env_cfg", [dict(dist_cfg=dict(timeout="abc")), dict(dist_cfg=dict(timeout=-5))]
)
def test_a_timeout_that_is_none_is_refused_on_one_rank(env_cfg):
    with pytest.raises(UserError, match="env_cfg.dist_cfg.timeout=.*: expected a positive number"):
        launch.prepare(Config(dict(env_cfg=env_cfg)))


def test_settings_of_the_process_are_checked_first(monkeypatch):
    monkeypatch.setattr(launch, "keep_freed_memory", None)
    with pytest.raises(UserError, match="randomness.seed='x'"):
        launch.prepare(Config(dict(randomness=dict(seed="x"))))
