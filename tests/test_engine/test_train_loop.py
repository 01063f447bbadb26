"""The loop that counts iterations: its hooks, its batches, and runs that diverge."""

import pytest
import torch
from helpers.tiny_loops import ITERS, make_runner
from helpers.tiny_reid import tiny_runner
from mmengine.hooks import Hook

from mmreid_ext.checkpoint import safe_load
from mmreid_ext.compat import enable_safe_checkpoints


class Moments(Hook):
    """Notes which hooks are called, with the iteration."""

    def __init__(self):
        self.seen = []

    def before_train(self, runner):
        self.seen.append("train")

    def before_train_epoch(self, runner):
        self.seen.append("epoch")

    def before_train_iter(self, runner, batch_idx, data_batch=None):
        self.seen.append(batch_idx)

    def after_train_iter(self, runner, batch_idx, data_batch=None, outputs=None):
        assert runner.model.training
        self.seen.append(batch_idx)

    def before_val(self, runner):
        self.seen.append("val")

    def after_train_epoch(self, runner, metrics=None):
        self.seen.append("end of epoch")

    def after_train(self, runner):
        self.seen.append("end")


def test_a_run_is_one_epoch_and_validates_between_its_steps(tmp_path):
    runner, moments = make_runner(tmp_path), Moments()
    runner.register_hook(moments)
    assert runner.train() is runner.model
    assert moments.seen == [
        *("train", "epoch", 0, 0, 1, 1, "val", 2, 2, 3, 3, "val", 4, 4, "val"),
        *("end of epoch", "end"),
    ]
    assert runner.iter == ITERS


def test_a_hook_may_end_the_run(tmp_path):
    class Stop(Hook):
        def after_train_iter(self, runner, batch_idx, data_batch=None, outputs=None):
            runner.train_loop.stop_training = batch_idx == 2

    runner = make_runner(tmp_path)
    runner.register_hook(Stop())
    runner.train()
    assert runner.iter == 3
    with pytest.raises(StopIteration):
        runner.train_loop.next_batch()


class Poison(Hook):
    """Spoils a weight before the fourth iteration, after which a checkpoint would be due."""

    def before_train_iter(self, runner, batch_idx, data_batch=None):
        if batch_idx == 3:
            runner.model.head.classifier.weight.data[0, 0] = float("nan")


@pytest.mark.parametrize("loop", ["mmreid_ext.MetaBINTrainLoop", "mmreid_ext.ReIDTrainLoop"])
def test_run_stops_before_a_checkpoint_of_it_is_written(tmp_path, loop):
    enable_safe_checkpoints()
    changes = dict(train_cfg=dict(type=loop, max_iters=6)) if "ReID" in loop else {}
    runner = tiny_runner(
        tmp_path,
        batch_size=16,
        max_iters=6,
        default_hooks=dict(checkpoint=dict(type="CheckpointHook", by_epoch=False, interval=2)),
        **changes,
    )
    runner.register_hook(Poison())
    with pytest.raises(FloatingPointError, match="at iteration 4: .*loss_ce=nan") as error:
        runner.train()
    assert "loss_triplet=" in str(error.value)  # the terms that are fine are named too
    assert [p.name for p in tmp_path.glob("*.pth")] == ["iter_2.pth"]
    assert (tmp_path / "last_checkpoint").read_text().endswith("iter_2.pth")
    state = safe_load(tmp_path / "iter_2.pth")["state_dict"]
    assert all(value.isfinite().all() for value in state.values() if torch.is_floating_point(value))
