"""W ranks compute what one rank computes: weights, gates, running statistics and losses."""

import tempfile

import pytest
import torch
from helpers.distributed import run_distributed
from helpers.tiny_reid import tiny_runner
from mmengine.hooks import Hook

from mmreid_ext import distributed
from mmreid_ext.engine import meta_gates, metabin_loop
from mmreid_ext.models.norms import batch_moments

GLOBAL_BATCH = 32


def train(rank, world_size, breakages):
    """State and losses after 3 iterations, for each way of breaking the code (None: not broken)."""
    return [train_once(rank, world_size, breakage) for breakage in breakages]


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


BREAKAGES = ["gather order", "gate gradients", "batch statistics", "domain split"]


def test_two_and_four_ranks_equal_one_and_breakages_are_noticed():
    (one,) = run_distributed(train, 1, [None])[0]
    assert largest_difference(one, {k: torch.zeros_like(v) for k, v in one.items()}) > 0.1
    assert (one["backbone.layer1.0.bn1.gate"] < 1).any(), (
        "the gates never moved: nothing is compared"
    )
    for state in run_distributed(train, 4, [None], timeout=300):
        assert largest_difference(one, state[0]) < 1e-6
    by_rank = run_distributed(train, 2, [None, *BREAKAGES], timeout=300)
    for states in by_rank:
        assert largest_difference(one, states[0]) < 1e-6
    for index, breakage in enumerate(BREAKAGES, start=1):
        difference = max(largest_difference(one, states[index]) for states in by_rank)
        assert difference > 1e-4, f"breaking the {breakage} went unnoticed"
