"""Loaders of one rank: a global batch is divided once, whatever loop trains, however started."""

import copy

import pytest
import torch
from helpers.distributed import run_distributed
from helpers.tiny_reid import tiny_model
from mmengine.config import Config
from mmengine.runner import IterBasedTrainLoop, Runner
from torch.utils.data import DataLoader, SequentialSampler

from mmreid_ext.cli import launch
from mmreid_ext.engine import ReIDTrainLoop
from mmreid_ext.engine.loading import shares_batches, start_at, stop_workers
from mmreid_ext.errors import UserError


def loader(sampler="mmreid_ext.PKSampler"):
    """A global batch of 32 images."""
    return dict(batch_size=32, drop_last=True, sampler=dict(type=sampler, num_instances=4))


LOOPS = {
    "iterations": dict(type="mmreid_ext.ReIDTrainLoop", max_iters=2),
    "epochs": dict(type="mmreid_ext.ReIDEpochTrainLoop", max_epochs=1),
    "metabin": dict(
        type="mmreid_ext.MetaBINTrainLoop",
        max_iters=2,
        first_base_steps=1,
        meta_dataloader=loader("mmreid_ext.DomainPKSampler"),
    ),
    "MMEngine's iterations": dict(type="IterBasedTrainLoop", max_iters=2),
    "MMEngine's epochs": dict(by_epoch=True, max_epochs=1),
}


def config(name: str, folder, ranks: int) -> Config:
    train = loader() | dict(num_workers=0, persistent_workers=True)
    train |= dict(collate_fn=dict(type="default_collate"))
    if name == "MMEngine's epochs":
        train["sampler"].update(strategy="exhaustive_drop", infinite=False)
    train["dataset"] = dict(type="mmreid_ext.TinyReID")
    wrapper = dict(
        type="mmengine.MMDistributedDataParallel", device_ids=None, broadcast_buffers=False
    )
    return Config(
        dict(
            default_scope="mmpretrain",
            batch_size_is_global=True,
            work_dir=str(folder),
            experiment_name=name,
            launcher="pytorch" if ranks > 1 else "none",
            model=tiny_model(),
            train_dataloader=train,
            train_cfg=copy.deepcopy(LOOPS[name]),
            optim_wrapper=dict(optimizer=dict(type="SGD", lr=0.01)),
            auto_scale_lr=dict(enable=True, base_batch_size=16),
            model_wrapper_cfg=wrapper,
            log_level="ERROR",
            randomness=dict(seed=0),
        )
    )


def train_each(rank: int, world_size: int, folder: str) -> dict[str, dict]:
    """Learning rate, images of this rank and end state of each kind of loop; no tool of ours."""
    torch.set_default_dtype(torch.float64)
    found = {}
    for name in LOOPS:
        runner = Runner.from_cfg(config(name, f"{folder}/{name}", world_size))
        model = runner.train()
        found[name] = dict(
            size=len(next(iter(runner.train_dataloader.batch_sampler))),
            rates=runner.optim_wrapper.get_lr()["lr"],
            state=getattr(model, "module", model).state_dict(),
        )
    return found


@pytest.mark.slow
def test_a_plain_runner_reaches_the_same_weights_on_one_and_two_ranks(tmp_path):
    (one,) = run_distributed(train_each, 1, str(tmp_path / "one"))
    for two in run_distributed(train_each, 2, str(tmp_path / "two")):
        for name in LOOPS:
            assert (one[name]["size"], two[name]["size"]) == (32, 16), name
            assert one[name]["rates"] == two[name]["rates"], name
            for key, value in one[name]["state"].items():
                difference = (value - two[name]["state"][key]).abs().max()
                assert difference < 1e-9, (name, key, difference)


def sizes_of_batches(rank: int, world_size: int, folder: str, prepared: bool) -> list[list[int]]:
    """Images of this rank in the base and the meta batches of each kind of loop."""
    found = []
    for name in LOOPS:
        cfg = config(name, f"{folder}/{name}", world_size)
        if prepared:
            cfg.launcher = "none"  # the processes are joined already
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


@pytest.mark.parametrize(("ranks", "prepared"), [(1, False), (2, False), (2, True)])
@pytest.mark.slow
def test_every_loop_divides_once(ranks, prepared, tmp_path):
    size = 32 // ranks
    for found in run_distributed(sizes_of_batches, ranks, str(tmp_path), prepared):
        assert found == [[size], [size], [size, size, size], [size], [size]]


READER = dict(type="mmreid_ext.CSVDataset", csv_file="none.csv")
BOTH = dict(type="ConcatDataset", datasets=[READER, READER])


@pytest.mark.parametrize("name", ["iterations", "MMEngine's iterations", "MMEngine's epochs"])
@pytest.mark.parametrize("part", ["train", "val"])
def test_no_loop_strings_readers_together(name, part, tmp_path):
    """Before a file is looked for: there is none."""
    cfg = config(name, tmp_path, 1)
    loader = dict(cfg.train_dataloader, dataset=BOTH)
    loader["sampler"] = dict(type="DefaultSampler", shuffle=False)
    cfg[f"{part}_dataloader"] = loader
    if part == "val":
        cfg.val_evaluator, cfg.val_cfg = dict(type="mmreid_ext.ReIDMetric"), dict(type="ValLoop")
    meant = dict(train="MultiSourceDataset", val="BenchmarkSuite")[part]
    with pytest.raises(UserError, match=f"{part}_dataloader.dataset=ConcatDataset.*{meant}"):
        Runner.from_cfg(cfg).train()


def test_who_shares_batches():
    assert shares_batches(dict(type="mmreid_ext.MetaBINTrainLoop"))
    assert shares_batches(dict(type=ReIDTrainLoop)) and shares_batches(ReIDTrainLoop)
    for foreign in (dict(by_epoch=True), dict(type="IterBasedTrainLoop"), IterBasedTrainLoop):
        assert not shares_batches(foreign)


class FromThird(SequentialSampler):
    """Begins where it is told."""

    start = 0

    def set_start(self, iteration):
        self.start = 2 * iteration

    def __iter__(self):
        return iter(range(self.start, 8))


@pytest.mark.parametrize("kind", [SequentialSampler, FromThird])
def test_a_loader_starts_at_a_batch(kind):
    loaded = []

    class Counting(list):
        def __getitem__(self, index):
            loaded.append(index)
            return index

    data = Counting(range(8))
    batches = start_at(DataLoader(data, 2, sampler=kind(data)), 2)
    assert next(batches).tolist() == [4, 5]
    assert loaded == ([4, 5] if kind is FromThird else [0, 1, 2, 3, 4, 5])


def test_workers_are_forgotten():
    built = DataLoader(range(4), 2, num_workers=1, persistent_workers=True)
    iterator = iter(built)
    next(iterator)
    stop_workers(built)
    assert built._iterator is None
    workers = iterator._workers
    del iterator
    assert not any(worker.is_alive() for worker in workers)
