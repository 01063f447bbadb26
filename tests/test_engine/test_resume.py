"""An interrupted run ends bit for bit where an uninterrupted one does."""

import multiprocessing

import pytest
import torch
from helpers.equal_states import assert_same
from helpers.tiny_reid import TinyReID, tiny_runner
from mmengine.hooks import Hook

from mmreid_ext.compat import enable_safe_checkpoints
from mmreid_ext.engine.metabin.alternating_batches import AlternatingBatches
from mmreid_ext.registry import DATASETS

ITERATIONS, SAVED_AT, STOPPED_AT = 6, 3, 4
BATCH, FIRST_BASE_STEPS = 16, 10


@DATASETS.register_module()
class AugmentedReID(TinyReID):
    """Adds noise by the seed of the draw, as a pipeline does, and counts what is loaded."""

    loaded = 0

    def __getitem__(self, index):
        self.loaded += 1
        record = super().__getitem__(index)
        generator = torch.Generator().manual_seed(index.seed)
        noise = torch.randn(record["inputs"].shape, generator=generator, dtype=torch.float64)
        return record | dict(inputs=record["inputs"] + noise / 10)


class Interrupted(Exception):
    pass


class Record(Hook):
    """Keeps what is logged; raises after ``stop_at`` iterations."""

    def __init__(self, stop_at=None):
        self.outputs, self.rates, self.stop_at = [], [], stop_at

    def after_train_iter(self, runner, batch_idx, data_batch=None, outputs=None):
        self.outputs.append(outputs)
        self.rates.append(runner.optim_wrapper.get_lr()["lr"])
        if batch_idx + 1 == self.stop_at:
            raise Interrupted


def train(folder, stop_at=None, resume=False, **changes):
    enable_safe_checkpoints()
    settings = dict(
        batch_size=BATCH,
        max_iters=ITERATIONS,
        dataset="mmreid_ext.AugmentedReID",
        loop=dict(first_base_steps=FIRST_BASE_STEPS),
        resume=resume,
        param_scheduler=[
            dict(type="LinearLR", by_epoch=False, start_factor=0.1, begin=0, end=5),
            dict(type="MultiStepLR", by_epoch=False, milestones=[4], gamma=0.5),
        ],
        default_hooks=dict(
            checkpoint=dict(type="CheckpointHook", by_epoch=False, interval=SAVED_AT)
        ),
    )
    runner = tiny_runner(folder, **(settings | changes))
    record = Record(stop_at)
    runner.register_hook(record)
    if stop_at is None:
        runner.train()
    else:
        with pytest.raises(Interrupted):
            runner.train()
    return runner, record


def batches_loaded(runner):
    """How many batches were read, base and meta together: they come from one data set."""
    return runner.train_loop.dataloader.dataset.loaded / BATCH


@pytest.mark.parametrize("num_workers", [0, 2])
@pytest.mark.slow
def test_resumed_run_equals_an_uninterrupted_one(tmp_path, num_workers):
    whole, expected = train(tmp_path / "whole", num_workers=num_workers)
    folder = tmp_path / "interrupted"
    train(folder, stop_at=STOPPED_AT, num_workers=num_workers)
    assert sorted(p.name for p in folder.glob("*.pth")) == [f"iter_{SAVED_AT}.pth"]
    resumed, record = train(folder, resume=True, num_workers=num_workers)

    assert_same(record.outputs, expected.outputs[SAVED_AT:])
    assert_same(record.rates, expected.rates[SAVED_AT:])
    assert_same(resumed.model.state_dict(), whole.model.state_dict())
    assert_same(resumed.optim_wrapper.state_dict(), whole.optim_wrapper.state_dict())
    schedulers = [[s.state_dict() for s in r.param_schedulers] for r in (resumed, whole)]
    assert_same(*schedulers)

    base_steps = ITERATIONS + FIRST_BASE_STEPS - 1
    assert resumed.model.backbone.bn1.num_batches_tracked == base_steps
    assert whole.model.backbone.bn1.running_mean.abs().sum() > 0
    if num_workers == 0:  # workers count in their own process
        remaining = ITERATIONS - SAVED_AT
        assert batches_loaded(whole) == base_steps + ITERATIONS
        assert batches_loaded(resumed) == 2 * remaining


@pytest.mark.parametrize("resume_at", [None, SAVED_AT])
@pytest.mark.slow
def test_meta_loader_of_its_own_gives_the_same_batches(tmp_path, resume_at):
    _, expected = train(tmp_path / "pool", num_workers=2)
    own = dict(first_base_steps=FIRST_BASE_STEPS, meta_dataloader=meta_loader_of_its_own())
    runner, record = train(tmp_path / "own", loop=own, num_workers=1)
    assert not isinstance(runner.train_loop.meta_dataloader.batch_sampler, AlternatingBatches)
    assert_same(record.outputs, expected.outputs)
    if resume_at:
        folder = tmp_path / "own"
        (folder / "last_checkpoint").write_text(str(folder / f"iter_{resume_at}.pth"))
        _, record = train(folder, resume=True, loop=own)
        assert_same(record.outputs, expected.outputs[resume_at:])


def meta_loader_of_its_own():
    sampler = dict(type="mmreid_ext.DomainPKSampler", batch_size=BATCH, num_instances=2)
    return dict(
        batch_size=BATCH,
        sampler=sampler,
        drop_last=True,
        collate_fn=dict(type="default_collate"),
        pin_memory=False,  # the base loader's settings do not say so
        dataset=dict(type="mmreid_ext.AugmentedReID", dtype="float64"),
    )


def test_run_without_a_seed_continues_with_the_seed_it_drew(tmp_path):
    draws_one = dict(randomness=dict(seed=None), loop=dict(first_base_steps=1))
    whole, expected = train(tmp_path, **draws_one)
    (tmp_path / "last_checkpoint").write_text(str(tmp_path / f"iter_{SAVED_AT}.pth"))
    resumed, record = train(tmp_path, resume=True, **draws_one)
    assert_same(record.outputs, expected.outputs[SAVED_AT:])
    assert_same(resumed.model.state_dict(), whole.model.state_dict())


def test_first_iteration_takes_its_base_steps_at_one_learning_rate(tmp_path):
    runner, record = train(tmp_path, max_iters=1)
    assert runner.model.backbone.bn1.num_batches_tracked == FIRST_BASE_STEPS
    assert batches_loaded(runner) == FIRST_BASE_STEPS + 1
    # The hook that records runs before the schedulers do: still the first rate.
    assert record.rates[0][0] == pytest.approx(0.001)
    assert runner.optim_wrapper.get_lr()["lr"][0] == pytest.approx(0.001 + 0.009 / 4)


@pytest.mark.parametrize("own_meta_loader", [False, True])
@pytest.mark.parametrize("stop_at", [None, STOPPED_AT])
def test_loading_ends_with_the_training(tmp_path, stop_at, own_meta_loader):
    others = set(multiprocessing.active_children())
    own = dict(meta_dataloader=meta_loader_of_its_own() | dict(num_workers=1))
    loop = dict(first_base_steps=2) | (own if own_meta_loader else {})
    runner, _ = train(tmp_path, stop_at, num_workers=2, loop=loop)
    assert set(multiprocessing.active_children()) <= others
    assert runner.iter == (stop_at - 1 if stop_at else ITERATIONS)
