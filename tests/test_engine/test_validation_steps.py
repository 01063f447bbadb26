"""Validations of runs in iterations stand at their iteration on the axis of the log."""

import json

import pytest
from helpers.tiny_reid import tiny_runner
from mmengine.evaluator import BaseMetric

from mmreid_ext.compat import enable_safe_checkpoints
from mmreid_ext.registry import METRICS

BATCH = 16


@METRICS.register_module()
class ScoreOfSteps(BaseMetric):
    def process(self, data_batch, data_samples):
        self.results.append(0)

    def compute_metrics(self, results):
        return dict(validated=1.0)


def validated(folder, loop, max_iters=4, **changes):
    """A runner with MMEngine's own log hook, validated every two iterations."""
    runner = tiny_runner(
        folder,
        batch_size=BATCH,
        max_iters=max_iters,
        loop=dict(val_interval=2) | ({"first_base_steps": 1} if loop == "MetaBINTrainLoop" else {}),
        val_dataloader=dict(
            batch_size=BATCH,
            collate_fn=dict(type="default_collate"),
            sampler=dict(type="DefaultSampler", shuffle=False),
            dataset=dict(type="mmreid_ext.TinyReID", num_images=1),
        ),
        val_cfg=dict(type="ValLoop"),
        val_evaluator=dict(type="mmreid_ext.ScoreOfSteps"),
        default_hooks=dict(checkpoint=dict(type="CheckpointHook", by_epoch=False, interval=1)),
        **changes,
    )
    if loop == "ReIDTrainLoop":
        runner._train_loop = dict(type="mmreid_ext.ReIDTrainLoop", max_iters=max_iters)
        runner._train_loop["val_interval"] = 2
    return runner


def steps(folder):
    lines = [
        json.loads(line)
        for path in sorted(folder.rglob("scalars.json"))
        for line in path.read_text().splitlines()
    ]
    return [line["step"] for line in lines if "validated" in line]


@pytest.mark.parametrize("loop", ["ReIDTrainLoop", "MetaBINTrainLoop"])
def test_validations_are_logged_at_their_iteration(tmp_path, loop):
    validated(tmp_path, loop).train()
    assert steps(tmp_path) == [2, 4]


def test_resumed_runs_go_on_counting(tmp_path):
    enable_safe_checkpoints()
    validated(tmp_path / "first", "ReIDTrainLoop").train()
    checkpoint = str(tmp_path / "first" / "iter_3.pth")
    runner = validated(tmp_path / "second", "ReIDTrainLoop", 6, load_from=checkpoint, resume=True)
    runner.train()
    assert steps(tmp_path / "second") == [4, 6]
