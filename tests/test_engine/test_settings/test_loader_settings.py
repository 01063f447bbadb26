"""Batch sizes of one rank: divided once, however a run is started."""

import copy

import pytest
import torch
from helpers.distributed import run_distributed
from helpers.tiny_reid import tiny_model
from mmengine.config import Config
from mmengine.runner import Runner

from mmreid_ext.cli import launch
from mmreid_ext.engine.settings.loader_settings import rank_settings, without_idle_workers
from mmreid_ext.errors import UserError


def loader(size=48, sampler="mmreid_ext.PKSampler", **of_sampler):
    return dict(batch_size=size, sampler=dict(type=sampler, num_instances=4, **of_sampler))


def test_global_batches_are_shared_out_and_the_sampler_follows():
    written = loader()
    before = copy.deepcopy(written)
    settings = rank_settings(written, True, 4)
    assert settings["batch_size"] == settings["sampler"]["batch_size"] == 12
    assert written == before


def test_batches_per_rank_stay():
    settings = rank_settings(loader(batch_size=48), False, 4)
    assert settings["batch_size"] == settings["sampler"]["batch_size"] == 48


def test_a_sampler_given_as_a_class_follows_too():
    from mmreid_ext.datasets.samplers import PKSampler

    settings = rank_settings(loader(sampler=PKSampler), True, 2)
    assert settings["sampler"]["batch_size"] == 24


def test_other_samplers_and_built_loaders_are_left_alone():
    sampler = dict(type="DefaultSampler", shuffle=True)
    settings = rank_settings(dict(batch_size=8, sampler=sampler), True, 2)
    assert settings == dict(batch_size=4, sampler=sampler)
    built = torch.utils.data.DataLoader([1, 2])
    assert rank_settings(built, True, 2) is built
    assert rank_settings(dict(batch_sampler=dict(type="x")), True, 2)["batch_sampler"]


def test_indivisible_batches_are_refused():
    with pytest.raises(UserError, match=r"meta.batch_size=25: .* of 25 images .* 2 ranks: choose"):
        rank_settings(loader(25), True, 2, "meta")


@pytest.mark.parametrize("is_global", [True, False])
def test_a_sampler_that_contradicts_its_loader_is_refused(is_global):
    message = "train_dataloader.batch_size=48, but train_dataloader.sampler.batch_size=24"
    with pytest.raises(UserError, match=message):
        rank_settings(loader(batch_size=24), is_global, 2)


def test_options_of_workers_go_where_there_is_none():
    idle = dict(num_workers=0, persistent_workers=True, prefetch_factor=4, batch_size=2)
    assert without_idle_workers(idle) == dict(num_workers=0, batch_size=2)
    busy = dict(idle, num_workers=1)
    assert without_idle_workers(busy) == busy


META = dict(
    type="mmreid_ext.MetaBINTrainLoop",
    max_iters=1,
    first_base_steps=1,
    meta_dataloader=loader(32, "mmreid_ext.DomainPKSampler") | dict(drop_last=True),
)
LOOPS = {
    "iterations": dict(type="mmreid_ext.ReIDTrainLoop", max_iters=1),
    "epochs": dict(type="mmreid_ext.ReIDEpochTrainLoop", max_epochs=1),
    "metabin": META,
}


def config(loop: str, folder) -> Config:
    train = loader(32) | dict(num_workers=0, persistent_workers=True, drop_last=True)
    train |= dict(collate_fn=dict(type="default_collate"))
    train["dataset"] = dict(type="mmreid_ext.TinyReID", dtype="float32")
    wrapper = dict(
        type="mmengine.MMDistributedDataParallel", device_ids=None, broadcast_buffers=False
    )
    return Config(
        dict(
            default_scope="mmpretrain",
            batch_size_is_global=True,
            work_dir=str(folder),
            experiment_name=loop,
            model=tiny_model(),
            train_dataloader=train,
            train_cfg=copy.deepcopy(LOOPS[loop]),
            optim_wrapper=dict(optimizer=dict(type="SGD", lr=0.01)),
            model_wrapper_cfg=wrapper,
            log_level="ERROR",
            randomness=dict(seed=0),
        )
    )


def sizes_of_batches(rank: int, world_size: int, folder: str, prepared: bool) -> list[list[int]]:
    """Images of this rank in the base and the meta batches of each kind of loop."""
    found = []
    for name in LOOPS:
        cfg = config(name, f"{folder}/{rank}")
        if prepared:
            launch.prepare(cfg)
        runner = Runner.from_cfg(cfg)
        loop = runner.build_train_loop(runner._train_loop)
        loaders = [getattr(loop, key, None) for key in ("dataloader", "meta_dataloader")]
        batches = [batch for one in loaders if one is not None for batch in two_batches(one)]
        found.append([len(batch) for batch in batches])
    return found


def two_batches(dataloader):
    """Base and meta batch of a pool, the first batch of another loader."""
    batches = iter(dataloader.batch_sampler)
    pooled = type(dataloader.batch_sampler).__name__ == "AlternatingBatches"
    return [next(batches) for _ in range(1 + pooled)]


@pytest.mark.parametrize("ranks, size", [(1, 32), (2, 16)])
def test_every_loop_divides_once_when_started_from_python(ranks, size, tmp_path):
    for found in run_distributed(sizes_of_batches, ranks, str(tmp_path), False):
        assert found == [[size], [size], [size, size, size]]


def test_every_loop_divides_once_when_started_by_the_tools(tmp_path):
    for found in run_distributed(sizes_of_batches, 2, str(tmp_path), True):
        assert found == [[16], [16], [16, 16, 16]]
