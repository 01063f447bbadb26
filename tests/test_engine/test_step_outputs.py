"""What a step returns becomes plain numbers of the global batch; losses must be finite."""

import math

import pytest
import torch
from helpers.distributed import run_distributed

from mmreid_ext.engine.step_outputs import average_over_ranks, stop_if_not_finite


def means_of(rank, world_size):
    outputs = dict(
        loss=torch.tensor(rank + 1.0, requires_grad=True), lr=0.5, acc=torch.tensor(rank)
    )
    return average_over_ranks(outputs)


def test_tensors_are_averaged_and_numbers_kept_in_their_order():
    for means in run_distributed(means_of, 2):
        assert list(means.items()) == [("loss", 1.5), ("lr", 0.5), ("acc", 0.5)]
        assert all(type(value) is float for value in means.values())


def test_numbers_alone_need_no_message():
    assert average_over_ranks(dict(lr=0.5)) == dict(lr=0.5)


def test_only_losses_are_judged():
    stop_if_not_finite({"loss_ce": 1.0, "gate/mean": math.nan}, 0)
    for bad in (math.inf, -math.inf, math.nan):
        with pytest.raises(FloatingPointError, match="iteration 8: loss_ce=1, meta_test/loss_tri="):
            stop_if_not_finite({"loss_ce": 1.0, "meta_test/loss_tri": bad}, 7)
