"""A loss that is not finite ends the run with the last good checkpoint in place."""

import math
from types import SimpleNamespace

import pytest
import torch
from helpers.tiny_reid import tiny_runner
from mmengine.hooks import Hook

from mmreid_ext.checkpoint import safe_load
from mmreid_ext.compat import enable_safe_checkpoints
from mmreid_ext.engine.step_outputs import stop_if_not_finite
from mmreid_ext.errors import DivergenceError


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


def test_only_losses_are_judged():
    stop_if_not_finite({"loss_ce": 1.0, "gate/mean": math.nan}, 0)
    for bad in (math.inf, -math.inf, math.nan):
        with pytest.raises(FloatingPointError, match="iteration 8: loss_ce=1, meta_test/loss_tri="):
            stop_if_not_finite({"loss_ce": 1.0, "meta_test/loss_tri": bad}, 7)


def test_gate_whose_gradient_stays_not_finite_stops_the_run(tmp_path, monkeypatch):
    """Losses are finite; without a scale to lower, the gates would never move again."""
    runner = tiny_runner(tmp_path, batch_size=16, max_iters=3)
    name, layer = list(runner.model.bin_layers().items())[2]
    forward = type(layer).forward

    def spoil(self, x):
        out = forward(self, x)
        if self is layer and self.stepped_gate is not None:
            out = out + (self.stepped_gate * 0).sqrt().sum() * 0  # finite; its derivative isn't
        return out

    monkeypatch.setattr(type(layer), "forward", spoil)
    with pytest.raises(DivergenceError, match=rf"{name}\.gate is not finite at iteration 1"):
        runner.train()

    loop, scaler = runner.train_loop, SimpleNamespace()
    runner.optim_wrapper.loss_scaler = scaler
    scaler.get_scale = lambda: 1024.0
    loop.check_outputs(dict(meta_skipped=1.0))  # the scale goes down, and the run on
    scaler.get_scale = lambda: 1e-6
    with pytest.raises(DivergenceError, match=rf"{name}\.gate"):
        loop.check_outputs(dict(meta_skipped=1.0))
