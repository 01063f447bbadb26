"""The loop together with MMEngine's hooks: averages of weights, early stop, profiler, logs."""

import json

import pytest
import torch
from helpers.metabin_problem import gates_of
from helpers.tiny_reid import tiny_runner
from mmengine.evaluator import BaseMetric
from mmengine.hooks import Hook

from mmreid_ext.checkpoint import safe_load
from mmreid_ext.compat import enable_safe_checkpoints
from mmreid_ext.registry import METRICS

BATCH = 16


@METRICS.register_module()
class ConstantScore(BaseMetric):
    def process(self, data_batch, data_samples):
        self.results.append(0)

    def compute_metrics(self, results):
        return dict(score=1.0)


def validated(folder, **changes):
    """A runner that validates after every iteration, with a score that never gets better."""
    loader = dict(
        batch_size=BATCH,
        collate_fn=dict(type="default_collate"),
        sampler=dict(type="DefaultSampler", shuffle=False),
        dataset=dict(type="mmreid_ext.TinyReID", num_images=1),
    )
    return tiny_runner(
        folder,
        batch_size=BATCH,
        max_iters=5,
        loop=dict(first_base_steps=1, val_interval=1),
        val_dataloader=loader,
        val_cfg=dict(type="ValLoop"),
        val_evaluator=dict(type="mmreid_ext.ConstantScore"),
        **changes,
    )


def test_early_stop_ends_the_run(tmp_path):
    hook = dict(type="EarlyStoppingHook", monitor="score", rule="greater", patience=2)
    runner = validated(tmp_path, custom_hooks=[hook])
    runner.train()
    assert runner.train_loop.stop_training
    assert runner.iter == 3  # the first score, then twice no better one
    assert runner.model.training is False  # validation was the last thing done


def test_average_of_weights_covers_the_gates_and_is_saved(tmp_path):
    enable_safe_checkpoints()
    momentum, history = 0.25, []

    class RecordGates(Hook):
        def after_train_iter(self, runner, *args, **kwargs):
            history.append(gates_of(runner.model))

    runner = tiny_runner(
        tmp_path,
        batch_size=BATCH,
        loop=dict(first_base_steps=1),
        custom_hooks=[dict(type="EMAHook", momentum=momentum)],
    )
    start = gates_of(runner.model)
    runner.register_hook(RecordGates(), priority="HIGHEST")
    runner.train()
    expected = start
    for step, gates in enumerate(history):
        # MMEngine copies the weights at its first step and averages from the second on.
        expected = gates if step == 0 else (1 - momentum) * expected + momentum * gates
    assert (expected - history[-1]).abs().max() > 1e-4
    checkpoint = safe_load(tmp_path / "iter_3.pth")
    # The hook saves the average as the model, and the model beside it.
    for key, wanted in (("state_dict", expected), ("ema_state_dict", history[-1])):
        saved = checkpoint[key]
        gates = torch.cat([saved[n] for n in saved if n.endswith(".gate")])
        torch.testing.assert_close(gates, wanted, rtol=0, atol=1e-12)


def test_profiler_sees_the_meta_passes(tmp_path):
    trace = tmp_path / "trace.json"
    hook = dict(
        type="ProfilerHook",
        by_epoch=False,
        profile_times=1,
        activity_with_cuda=False,
        json_trace_path=str(trace),
    )
    runner = tiny_runner(
        tmp_path, batch_size=BATCH, max_iters=1, loop=dict(first_base_steps=1), custom_hooks=[hook]
    )
    runner.train()
    names = [event.get("name", "") for event in json.loads(trace.read_text())["traceEvents"]]
    assert names.count("_InstanceAffine") == 3 * len(runner.model.bin_layers())


def test_log_has_every_loss_the_gates_and_the_step_sizes(tmp_path):
    runner = tiny_runner(
        tmp_path,
        batch_size=BATCH,
        max_iters=2,
        default_hooks=dict(logger=dict(type="LoggerHook", interval=1)),
        log_processor=dict(by_epoch=False),
    )
    recorded = []

    class RecordOutputs(Hook):
        def after_train_iter(self, runner, batch_idx, data_batch=None, outputs=None):
            recorded.append(outputs)

    runner.register_hook(RecordOutputs())
    runner.train()
    (path,) = tmp_path.glob("*/vis_data/scalars.json")
    lines = [json.loads(line) for line in path.read_text().splitlines()]
    expected = {f"loss_{n}" for n in ("ce", "triplet")} | {"loss", "lr", "inner_lr", "gate_lr"}
    expected |= {f"meta_train/loss_{n}" for n in ("ce", "shuffle", "triplet", "scatter")}
    expected |= {f"meta_test/loss_{n}" for n in ("ce", "triplet")} | {"meta_skipped"}
    groups = ("gate", "gate/stem", "gate/layer1", "gate/layer2")
    expected |= {f"{g}/{n}" for g in groups for n in ("mean", "at_0", "at_1")}
    for line, outputs in zip(lines, recorded, strict=True):
        assert expected <= set(line)
        # The inner ratio of this runner is 0.05, 0.075, 0.1, ... times gate_lr, from index 1.
        step = line["step"]
        assert line["inner_lr"] == pytest.approx(0.2 * (0.05 + 0.025 * step))
        assert line["gate/mean"] == pytest.approx(outputs["gate/mean"], abs=1e-12)
    assert lines[-1]["gate/mean"] == pytest.approx(gates_of(runner.model).mean().item(), abs=1e-7)
