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
    monkeypatch.setattr(launch, "_start_gloo", lambda cfg: None)
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


@pytest.mark.parametrize("seconds", [None, 77])
def test_timeout_of_the_configuration_holds_on_gloo(monkeypatch, seconds):
    given = {}
    monkeypatch.setattr(launch.dist, "is_initialized", lambda: False)
    monkeypatch.setattr(launch.dist, "init_process_group", lambda *a, **kw: given.update(kw))
    dist_cfg = dict(backend="nccl") | ({} if seconds is None else dict(timeout=seconds))
    launch._start_gloo(Config(dict(launcher="pytorch", env_cfg=dict(dist_cfg=dist_cfg))))
    assert given == ({} if seconds is None else dict(timeout=timedelta(seconds=seconds)))
