"""XBM as a whole: W ranks compute what one computes, and an interrupted run ends bit for bit."""

import tempfile

import pytest
import torch
import torch.distributed as dist
from helpers.distributed import run_distributed
from helpers.tiny_xbm import MEMORY_SIZE, xbm_runner
from mmengine.hooks import Hook

from mmreid_ext import distributed
from mmreid_ext.compat import enable_safe_checkpoints
from mmreid_ext.models.losses import contrastive

GLOBAL_BATCH, ITERATIONS = 16, 6


def train_at_four_then_two(rank, world_size, folder):
    """Four ranks together; then two pairs, of which the second gathers in the wrong order."""
    results = {"4 ranks": train_once(rank, world_size)}
    dist.barrier()
    dist.destroy_process_group()
    pair, rank = divmod(rank, 2)
    store = f"file://{folder}/pair{pair}"
    dist.init_process_group("gloo", init_method=store, rank=rank, world_size=2)
    name = "broken" if pair else "2 ranks"
    return {**results, name: train_once(rank, 2, own_rows_first=pair == 1)}


def train_once(rank, world_size, own_rows_first=False):
    """State of the model, losses, learning rates and recalls after a run."""
    with pytest.MonkeyPatch.context() as patch, tempfile.TemporaryDirectory() as folder:
        if own_rows_first:  # as another library once did
            gather = distributed._all_gather_equal

            def own_first(x):
                if x.dim() == 1:  # numbers of rows; the run would end
                    return gather(x)
                parts = list(gather(x).chunk(world_size))
                return torch.cat([parts.pop(rank), *parts])

            patch.setattr(distributed, "_all_gather_equal", own_first)
        launcher = "pytorch" if world_size > 1 else "none"
        runner, record = xbm_runner(folder, GLOBAL_BATCH // world_size, launcher=launcher)
        runner.train()
        model = getattr(runner.model, "module", runner.model)
        state = {name: value.double() for name, value in model.state_dict().items()}
        logged = dict(losses=record.losses, rates=record.rates, recalls=record.recalls)
        return state | {name: torch.tensor(value).double() for name, value in logged.items()}


def largest_difference(a, b):
    return max((a[key] - b[key]).abs().max().item() for key in a)


@pytest.mark.slow
def test_two_and_four_ranks_equal_one_and_a_wrong_order_is_noticed(tmp_path):
    by_rank = run_distributed(train_at_four_then_two, 4, str(tmp_path), timeout=300)
    one = train_once(0, 1)
    counters = [int(one[f"head.losses.xbm.{name}"]) for name in ("steps", "fill", "pointer")]
    assert counters == [ITERATIONS, MEMORY_SIZE, (ITERATIONS - 1) * GLOBAL_BATCH % MEMORY_SIZE]
    assert one["losses"][-1].min() > 0, "the memory's loss is 0: nothing is compared"
    assert one["rates"].unique().numel() > 1, "the plateau schedule never stepped"
    for results in by_rank:
        for name in results.keys() & {"4 ranks", "2 ranks"}:
            # Adam divides by the root of squared gradients: rounding grows to about 1e-9.
            assert largest_difference(one, results[name]) < 1e-6, name
    broken = [results["broken"] for results in by_rank if "broken" in results]
    assert len(broken) == 2
    assert max(largest_difference(one, state) for state in broken) > 1e-4


class Interrupted(Exception):
    pass


class StopAt(Hook):
    """Raises in the middle of a run: after an iteration, or before a validation."""

    def __init__(self, iteration, before_validation):
        self.iteration, self.before_validation = iteration, before_validation

    def after_train_iter(self, runner, batch_idx, data_batch=None, outputs=None):
        if batch_idx + 1 == self.iteration and not self.before_validation:
            raise Interrupted

    def before_val(self, runner):
        if runner.iter == self.iteration and self.before_validation:
            raise Interrupted


def train(folder, stop=None, resume=False):
    enable_safe_checkpoints()
    checkpoint = dict(type="CheckpointHook", by_epoch=False, interval=2)
    runner, record = xbm_runner(folder, resume=resume, default_hooks=dict(checkpoint=checkpoint))
    if stop is None:
        runner.train()
        return runner, record
    runner.register_hook(stop, priority="LOWEST")
    with pytest.raises(Interrupted):
        runner.train()
    return runner, record


def assert_ends_alike(run, whole):
    (runner, record), (other, expected) = run, whole
    assert record.losses == expected.losses[-len(record.losses) :]
    assert record.rates == expected.rates[-len(record.rates) :]
    state = other.model.state_dict()
    for name, value in runner.model.state_dict().items():
        assert torch.equal(value, state[name]), name
    schedules = [r.param_schedulers[0].state_dict() for r in (runner, other)]
    assert schedules[0] == schedules[1]


@pytest.mark.parametrize(
    "stop",
    [StopAt(5, before_validation=False), StopAt(4, before_validation=True)],
    ids=["between checkpoints", "during validation"],
)
def test_resumed_run_equals_an_uninterrupted_one(tmp_path, stop):
    whole = train(tmp_path / "whole")
    assert len(set(whole[1].rates)) == 2 and whole[1].losses[-1][2] > 0
    train(tmp_path / "cut", stop)
    resumed = train(tmp_path / "cut", resume=True)
    assert len(resumed[1].losses) == 2
    # Iteration 4's checkpoint was written before its validation, so that is run (again).
    assert resumed[1].recalls == whole[1].recalls[1:]
    assert_ends_alike(resumed, whole)


def test_similarities_are_float32_under_mixed_precision(tmp_path, monkeypatch):
    seen = []

    def note(x):
        seen.append(x.dtype)
        return x

    monkeypatch.setattr(contrastive, "unit_rows", note)
    wrapper = dict(type="mmreid_ext.BFloat16OptimWrapper", optimizer=dict(type="Adam", lr=1e-3))
    runner, _ = xbm_runner(
        tmp_path, dtype="float32", max_iters=2, optim_wrapper=wrapper, param_scheduler=None
    )
    inputs = []
    runner.model.head.register_forward_hook(lambda *args: inputs.append(args[2].embeddings.dtype))
    runner.train()
    assert inputs[0] == torch.bfloat16
    assert set(seen) == {torch.float32}
    assert runner.model.head.losses["xbm"].memory_feats.dtype == torch.float32
