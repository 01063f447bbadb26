"""What an iteration leaves as it found it; its numbers are compared in test_metabin_oracle.py."""

import pytest
import torch
from helpers.metabin_problem import OPTIM_WRAPPER, make_batch, make_model
from helpers.tiny_reid import tiny_runner
from mmengine.hooks import Hook
from mmengine.optim import build_optim_wrapper

from mmreid_ext.engine import MetaBINTrainLoop
from mmreid_ext.engine.metabin.iteration import losses_of_base_step


def test_losses_of_the_base_step_hold_inside_the_block_only():
    head = make_model(1.0).head
    before = head.train_losses
    with pytest.raises(KeyError), losses_of_base_step(head, ["scatter"]):
        assert head.train_losses == ("scatter",)
        raise KeyError
    assert head.train_losses == before


def test_a_step_puts_the_losses_of_the_head_back():
    generator = torch.Generator().manual_seed(0)
    model = make_model(0.7)
    model.head.train_losses = ("scatter",)
    log = MetaBINTrainLoop.metabin_step(
        model,
        make_batch(generator),
        make_batch(generator),
        optim_wrapper=build_optim_wrapper(model, dict(OPTIM_WRAPPER)),
        train_domains=(0, 3),
        inner_lr=0.1,
        gate_lr=0.1,
        loss_sets="multi_source",
    )
    assert {"loss_ce", "loss_triplet"} <= set(log) and "loss_scatter" not in log
    assert model.head.train_losses == ("scatter",)


class SeenLosses(Hook):
    """Notes the losses of the head during the iterations, and after the training."""

    def __init__(self):
        self.inside, self.after = set(), None

    def before_train_iter(self, runner, batch_idx, data_batch=None):
        self.inside.add(runner.model.head.train_losses)

    def after_train(self, runner):
        self.after = runner.model.head.train_losses


def test_a_run_puts_the_losses_of_the_head_back(tmp_path):
    stages = dict(base=("ce",), meta_train=("triplet",), meta_test=("triplet",))
    runner = tiny_runner(tmp_path, batch_size=16, max_iters=1, loop=dict(loss_sets=stages))
    seen = SeenLosses()
    runner.register_hook(seen)
    configured = runner.model.head.train_losses
    runner.train()
    assert seen.inside == {("ce",)}
    assert seen.after == runner.model.head.train_losses == configured
