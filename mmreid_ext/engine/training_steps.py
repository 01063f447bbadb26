"""Steps of both training loops, the same on every rank and in a resumed run."""

from __future__ import annotations

import copy
import logging
import random
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np
import torch
from mmengine.logging import print_log
from mmengine.model import BaseModel
from mmengine.runner import Runner
from torch import nn
from torch.nn.parallel import DistributedDataParallel

from mmreid_ext.datasets.samplers import draw_seeds
from mmreid_ext.distributed import any_rank, get_rank, get_world_size, rows_at
from mmreid_ext.models.norms import hold_running_stats
from mmreid_ext.models.random_layers import (
    draw_for_global_batch,
    layers_that_draw,
    layers_that_draw_alone,
    layers_that_seed_themselves,
)
from mmreid_ext.models.run_state import hold_run_state

from .network import network_of

_KEPT = (
    *("device_ids", "broadcast_buffers", "process_group", "gradient_as_bucket_view"),
    "detect_anomalous_params",
)
"""Options of a distributed wrapper that its attributes tell."""

_STEP_STREAM = 0x57E9
"""Mixed into the seeds of steps, lest they be those of pictures; any number but 0 does."""


class TrainingSteps:
    """Make every step the same on any number of ranks and in a resumed run.

    * Random layers of the network draw for the global batch, from generators that are seeded by
      (seed, iteration): a resumed run and a run on several ranks drop what one run would.
    * The network knows where this rank's rows stand in the batch of a single process.
    * Before the first step on several ranks: weights that the losses leave unused are found.

    Args:
        runner: The MMEngine runner; its model may be wrapped.
    """

    def __init__(self, runner: Runner) -> None:
        self.runner = runner
        self._begun = False
        draw_for_global_batch(self._module)
        say_what_is_not_exact(self._module, get_world_size())

    @property
    def _module(self) -> BaseModel:
        return network_of(self.runner.model)

    @contextmanager
    def step(self, iteration: int, data_batch: Any, sampler: Any) -> Iterator[None]:
        """Seed a 0-based iteration and place its rows; the step runs inside the block.

        Args:
            iteration: The iteration.
            data_batch: Batch of its (first) base step.
            sampler: Where that batch comes from.
        """
        if not self._begun:
            say_where_order_is_unknown(self._module, sampler, get_world_size())
            allow_unused_weights(self.runner, data_batch)
            self._begun = True
        seed_step(self.runner.seed, iteration)
        with rows_at(positions_of(sampler)):
            yield


def say_what_is_not_exact(model: nn.Module, world_size: int) -> None:
    """Warn of layers for which ranks, or resumed runs, are not equal to one uninterrupted run."""
    seeding = layers_that_seed_themselves(model)
    if seeding:
        print_log(
            f"{len(seeding)} layers seed themselves at random, {seeding[0]} the first: a resumed "
            "run will not be equal to an uninterrupted one (docs/distributed.md).",
            logger="current",
            level=logging.WARNING,
        )
    alone = layers_that_draw_alone(model)
    if alone and world_size > 1:
        print_log(
            f"{len(alone)} layers draw random numbers for the rows of one rank, {alone[0]} the "
            f"first: {world_size} ranks will not compute what one does (docs/distributed.md).",
            logger="current",
            level=logging.WARNING,
        )


def say_where_order_is_unknown(model: nn.Module, sampler: Any, world_size: int) -> None:
    """Warn of layers that draw by the place of a row, if the sampler doesn't tell the places."""
    drawing = layers_that_draw(model)
    if world_size > 1 and drawing and not hasattr(sampler, "positions"):
        print_log(
            f"{type(sampler).__name__} does not tell how it deals a batch out to ranks, and "
            f"{len(drawing)} layers draw random numbers for each image, {drawing[0]} the first: "
            f"{world_size} ranks will not compute what one does. Use PKSampler, DomainPKSampler or "
            "another sampler of this package (docs/distributed.md).",
            logger="current",
            level=logging.WARNING,
        )


def positions_of(sampler: Any) -> Sequence[int] | None:
    """Return this rank's places in the batch of a single process, None if in rank order."""
    positions = getattr(sampler, "positions", None)
    if not positions:
        return None
    first = get_rank() * len(positions)
    in_order = list(positions) == list(range(first, first + len(positions)))
    return None if in_order else positions


def shared_seed(runner: Runner) -> int:
    """Return the seed of the run, the same on every rank.

    ``diff_rank_seed`` adds the rank to the runner's. Batches, pictures, domain splits and
    meta batches belong to all ranks together.
    """
    return runner.seed - get_rank() * bool(runner._randomness_cfg.get("diff_rank_seed"))


def seed_step(seed: int, iteration: int) -> None:
    """Seed the generators that networks draw from (PyTorch's on all devices, NumPy's, Python's).

    Their state would otherwise be lost with an interrupted run.
    """
    number = int(draw_seeds(seed ^ _STEP_STREAM, np.array([iteration]))[0])
    torch.manual_seed(number)
    np.random.seed(number % 2**32)
    random.seed(number)


def allow_unused_weights(runner: Runner, data_batch: Any) -> None:
    """Let DistributedDataParallel expect weights without gradient, if the losses leave any.

    On one rank the optimiser skips them; on several it would wait for them and stop. To look for
    them in every step costs time, so one trial step finds out, and leaves no trace.
    """
    wrapper = runner.model
    if not isinstance(wrapper, DistributedDataParallel):
        return
    if wrapper.find_unused_parameters or wrapper.static_graph:
        return
    unused = _unused_weights(runner, network_of(wrapper), copy.deepcopy(data_batch))
    found = torch.tensor(bool(unused), device=next(wrapper.module.parameters()).device)
    if not any_rank(found):  # all ranks decide alike, or the next step would wait for ever
        return
    runner.model = type(wrapper)(
        module=wrapper.module,
        find_unused_parameters=True,
        **{option: getattr(wrapper, option) for option in _KEPT if hasattr(wrapper, option)},
    )
    if not unused:
        return
    print_log(
        f"{len(unused)} weights take no part in the losses of the ordinary step, {unused[0]} the "
        "first: they keep their values.",
        logger="current",
    )


def _unused_weights(runner: Runner, module: BaseModel, data_batch: Any) -> list[str]:
    """Return the names of trainable weights that get no gradient from the losses of a batch."""
    with hold_running_stats(module), hold_run_state(module):
        with runner.optim_wrapper.optim_context(runner.model):
            losses = module(**module.data_preprocessor(data_batch, training=True), mode="loss")
        loss, _ = module.parse_losses(losses)
        loss.backward()
    trained = [(name, p) for name, p in module.named_parameters() if p.requires_grad]
    unused = [name for name, parameter in trained if parameter.grad is None]
    module.zero_grad(set_to_none=True)
    return unused
