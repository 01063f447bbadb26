"""How many messages an iteration sends, exactly: one more per layer is a regression.

One process plays one of eight ranks. That results are right is tested with real ranks elsewhere.
"""

from collections import Counter

import pytest
import torch
from helpers.distributed import run_distributed
from helpers.metabin_problem import OPTIM_WRAPPER, make_batch, make_model
from helpers.tools import load_tool
from mmengine.optim import build_optim_wrapper

from mmreid_ext.engine import MetaBINTrainLoop
from mmreid_ext.engine.step_outputs import average_over_ranks

WORLD = 8
# 11 norms: the stem's, four in either stage, and two of shortcuts, which share with their blocks'.
NORMS = 9
# Nothing before the stem's norm has a gradient in the meta passes, where weights are frozen.
META_BACKWARD = NORMS - 1
FEATURES = {"features and labels gather": 1, "features and labels sum of parts": 1}


def count(run):
    with load_tool("benchmarks/counted_messages").noted_messages(WORLD) as messages:
        run()
    return Counter(f"{m.kind} {m.name}" for m in messages)


def count_all(rank, world_size):
    generator = torch.Generator().manual_seed(0)
    base, meta = make_batch(generator), make_batch(generator)
    model = make_model(0.7)
    wrapper = build_optim_wrapper(model, dict(OPTIM_WRAPPER))

    def base_step(*losses):
        model.head.train_losses = losses
        return count(lambda: model.train_step(dict(base), optim_wrapper=wrapper))

    def metabin(**options):
        settings = dict(train_domains=(0, 3), inner_lr=0.1, gate_lr=0.01, optim_wrapper=wrapper)
        return count(
            lambda: average_over_ranks(
                MetaBINTrainLoop.metabin_step(model, base, meta, **settings, **options)
            )
        )

    return {
        "ce": base_step("ce"),
        "ce, triplet": base_step("ce", "triplet"),
        "triplet": base_step("triplet"),
        "single source": metabin(),
        "multi source": metabin(loss_sets="multi_source"),
        "second order": metabin(second_order=True),
    }


@pytest.fixture(scope="module")
def counted():
    return run_distributed(count_all, 1)[0]


def test_base_steps(counted):
    # The neck has a message of its own only where no loss compares features.
    assert counted["ce"] == {"moments gather": NORMS + 1, "moments sum": NORMS + 1}
    backbone = {"moments gather": NORMS, "moments sum": NORMS}
    assert counted["ce, triplet"] == backbone | FEATURES
    assert counted["triplet"] == backbone | FEATURES


@pytest.mark.parametrize("kind", ["single source", "multi source"])
def test_an_iteration_of_metabin(counted, kind):
    passes = {name: 3 * number for name, number in FEATURES.items()}
    moments = {"moments gather": 3 * NORMS, "moments sum": NORMS + 2 * META_BACKWARD}
    assert counted[kind] == passes | moments | {"gates sum": 2, "logged values sum": 1}


def test_derivatives_of_second_order(counted):
    """The meta-train pass's gradient is differentiated again, so its norms are computed anew."""
    number = counted["second order"]
    assert number["moments gather"] == (3 + 1) * NORMS
    assert number["moments sum"] == NORMS + 2 * META_BACKWARD + 2 * (NORMS - 1)
    # Each sum of the meta-train pass's backward, and that of its gates, has an adjoint, too.
    assert number["gates sum"] == 2 + META_BACKWARD + 1
    assert sum(number.values()) == 97
