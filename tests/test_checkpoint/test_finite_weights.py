"""Weights that have diverged are not written."""

import pytest
import torch
from helpers.tiny_loops import make_runner
from mmengine.hooks import Hook

from mmreid_ext.checkpoint import atomic_open
from mmreid_ext.checkpoint.finite_weights import what_is_left
from mmreid_ext.errors import DivergenceError


class Poison(Hook):
    """Spoils a weight in the second step, before the checkpoint of that step."""

    priority = "VERY_HIGH"

    def after_train_iter(self, runner, batch_idx, data_batch=None, outputs=None):
        if runner.iter == 1:
            runner.model.layer.weight.data[0, 0] = float("inf")


def test_weights_that_are_not_finite_are_not_saved(tmp_path):
    runner = make_runner(tmp_path)
    runner.register_hook(Poison())
    message = r"after iteration 2: layer\.weight\. No .*iter_1\.pth are finite"
    with pytest.raises(DivergenceError, match=message):
        runner.train()
    assert [file.name for file in tmp_path.glob("*.pth")] == ["iter_1.pth"]
    assert (tmp_path / "last_checkpoint").read_text().endswith("iter_1.pth")


def test_claim_about_the_last_checkpoint_is_checked(tmp_path):
    assert "Start again from the beginning" in what_is_left(str(tmp_path))
    for value, said in ((1.0, "iter_1.pth are finite"), (float("nan"), "no finite weights")):
        torch.save(dict(state_dict=dict(w=torch.tensor([value]))), tmp_path / "iter_1.pth")
        with atomic_open(tmp_path / "last_checkpoint") as file:
            file.write(str(tmp_path / "iter_1.pth"))
        assert said in what_is_left(str(tmp_path))
