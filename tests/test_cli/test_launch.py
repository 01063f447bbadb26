import argparse
from datetime import timedelta

import pytest
import torch
from mmengine.config import Config

from mmreid_ext.cli import launch
from mmreid_ext.errors import UserError


def parse(*arguments):
    parser = argparse.ArgumentParser()
    parser.add_argument("config")
    launch.add_launch_arguments(parser)
    return parser.parse_args(arguments)


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "metabin_r50.py").write_text("model = dict(head=dict(num_classes=3, names=[1]))\n")
    (tmp_path / "bn_r50.py").write_text("work_dir = 'here'\nrandomness = dict(seed=5)\n")
    return tmp_path


@pytest.mark.parametrize("name", ["metabin_r50.py", "metabin_r50"])
def test_configuration_by_file_or_by_name(folder, name):
    cfg = launch.load_config(parse(str(folder / name)))
    assert cfg.model.head.num_classes == 3
    assert cfg.launcher == "none"
    assert cfg.work_dir.replace("\\", "/") == "work_dirs/metabin_r50"


def test_arguments_override_the_configuration(folder):
    arguments = ["--seed", "7", "--work-dir", "there", "--launcher", "pytorch", "--local-rank", "2"]
    args = parse(str(folder / "bn_r50.py"), *arguments)
    cfg = launch.load_config(args)
    assert (cfg.randomness.seed, cfg.work_dir, cfg.launcher) == (7, "there", "pytorch")
    assert args.local_rank == 2
    cfg = launch.load_config(parse(str(folder / "bn_r50.py")))
    assert (cfg.randomness.seed, cfg.work_dir) == (5, "here")


def test_cfg_options_reach_nested_keys_and_lists(folder):
    options = ["model.head.num_classes=9", "model.head.names=[a,b]", "train_cfg.new=True"]
    cfg = launch.load_config(parse(str(folder / "metabin_r50.py"), "--cfg-options", *options))
    assert cfg.model.head == dict(num_classes=9, names=["a", "b"])
    assert cfg.train_cfg.new is True


def test_missing_configuration_lists_its_neighbours(folder, tmp_path):
    with pytest.raises(FileNotFoundError, match="metabin_r5O.py.* has: bn_r50.py, metabin_r50.py"):
        launch.load_config(parse(str(folder / "metabin_r5O")))
    with pytest.raises(FileNotFoundError, match="nowhere"):
        launch.load_config(parse(str(tmp_path / "nowhere" / "a.py")))


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


@pytest.mark.skipif(torch.cuda.is_available(), reason="for machines without an accelerator")
def test_mixed_precision_without_accelerator():
    amp = dict(type="AmpOptimWrapper", dtype="float16", loss_scale="dynamic", clip_grad=None)
    cfg = Config(dict(optim_wrapper=amp))
    launch.use_amp(cfg)
    assert cfg.optim_wrapper == dict(type="mmreid_ext.BFloat16OptimWrapper", clip_grad=None)
    with pytest.raises(ValueError, match="float16 needs a GPU"):
        launch.use_amp(cfg, "float16")


@pytest.mark.parametrize(
    "native, dtype, expected",
    [(True, "auto", "bfloat16"), (False, "auto", "float16"), (True, "float16", "float16")],
)
def test_mixed_precision_with_accelerator(monkeypatch, native, dtype, expected):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "is_bf16_supported", lambda: native)
    cfg = Config(dict(optim_wrapper=dict(type="OptimWrapper")))
    launch.use_amp(cfg, dtype)
    wanted = dict(type="AmpOptimWrapper", dtype=expected, loss_scale="dynamic")
    assert cfg.optim_wrapper == wanted


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
