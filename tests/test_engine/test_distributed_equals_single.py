"""W ranks compute what one rank computes: weights, gates, running statistics and losses."""

import tempfile

import pytest
import torch
import torch.distributed as dist
from helpers.distributed import run_distributed
from helpers.tiny_reid import tiny_runner
from mmengine.hooks import Hook

from mmreid_ext import distributed
from mmreid_ext.engine.metabin import meta_gates, metabin_loop
from mmreid_ext.models.norms import batch_moments

GLOBAL_BATCH = 32
BREAKAGES = ["gather order", "gate gradients", "batch statistics", "domain split"]


def train_at_four_then_two(rank, world_size, folder):
    """By breakage (None: not broken): state and losses after 3 iterations.

    The four processes train together, then as two independent pairs that share the breakages: the
    start of a process costs more than all of its training.
    """
    results = {"4 ranks": train_once(rank, world_size, None)}
    dist.barrier()
    dist.destroy_process_group()
    pair, rank = divmod(rank, 2)
    store = f"file://{folder}/pair{pair}"
    dist.init_process_group("gloo", init_method=store, rank=rank, world_size=2)
    for breakage in [None, *BREAKAGES][pair::2]:
        results[str(breakage)] = train_once(rank, 2, breakage)
    return results


def train_once(rank, world_size, breakage):
    with pytest.MonkeyPatch.context() as patch, tempfile.TemporaryDirectory() as folder:
        break_something(patch, breakage, rank)
        launcher = "pytorch" if world_size > 1 else "none"
        runner = tiny_runner(folder, batch_size=GLOBAL_BATCH // world_size, launcher=launcher)
        losses = []
        runner.register_hook(RecordLosses(losses))
        runner.train()
        model = getattr(runner.model, "module", runner.model)
        state = {name: value.double() for name, value in model.state_dict().items()}
        return {**state, "losses": torch.tensor(losses)}


class RecordLosses(Hook):
    def __init__(self, losses):
        self.losses = losses

    def after_train_iter(self, runner, batch_idx, data_batch=None, outputs=None):
        self.losses.append([value for name, value in sorted(outputs.items()) if "loss" in name])


def break_something(patch, breakage, rank):
    if breakage == "gather order":  # own rows first, as another library once did
        gather = distributed._all_gather_equal

        def own_first(x):
            parts = list(gather(x).chunk(distributed.get_world_size()))
            return torch.cat([parts.pop(rank), *parts])

        patch.setattr(distributed, "_all_gather_equal", own_first)
    elif breakage == "gate gradients":
        patch.setattr(meta_gates, "mean_over_ranks", list)
    elif breakage == "batch statistics":
        patch.setattr(batch_moments, "gather_with_grad", lambda x: x)
    elif breakage == "domain split":
        split = metabin_loop.split_domains
        patch.setattr(metabin_loop, "split_domains", lambda seed, *rest: split(seed + rank, *rest))


def largest_difference(a, b):
    return max((a[key] - b[key]).abs().max().item() for key in a)


@pytest.mark.slow
def test_two_and_four_ranks_equal_one_and_breakages_are_noticed(tmp_path):
    by_rank = run_distributed(train_at_four_then_two, 4, str(tmp_path), timeout=300)
    one = train_once(0, 1, None)
    assert largest_difference(one, {k: torch.zeros_like(v) for k, v in one.items()}) > 0.1
    moved = one["backbone.layer1.0.bn1.gate"] < 1
    assert moved.any(), "the gates never moved: nothing is compared"
    assert sorted(name for results in by_rank for name in results) == sorted(
        4 * ["4 ranks"] + 2 * ["None", *BREAKAGES]
    )
    for results in by_rank:
        for name in results.keys() & {"4 ranks", "None"}:
            assert largest_difference(one, results[name]) < 1e-6, name
    for breakage in BREAKAGES:
        states = [results[breakage] for results in by_rank if breakage in results]
        difference = max(largest_difference(one, state) for state in states)
        assert difference > 1e-4, f"breaking the {breakage} went unnoticed"
