"""Make one iteration of MetaBIN on given batches: a base step and an update of the gates."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import torch
from mmengine.model import BaseModel, MMDistributedDataParallel
from mmengine.optim import OptimWrapper
from torch import Tensor
from torch.cuda.amp import GradScaler

from mmreid_ext.distributed import rows_at
from mmreid_ext.engine.network import reid_network_of
from mmreid_ext.models.heads import ReIDHead

from .meta_gates import GateUpdate
from .metabin_settings import refuse_accumulation

SMALLEST_SCALE = 1e-4
"""Below it no scale of float16 gradients helps: they are not finite by themselves."""


@contextmanager
def losses_of_base_step(head: ReIDHead, names: Sequence[str]) -> Iterator[None]:
    """Let the ordinary step of a network use these losses of its head inside the block."""
    before = head.train_losses
    head.train_losses = tuple(names)
    try:
        yield
    finally:
        head.train_losses = before


def step_both(
    model: BaseModel | MMDistributedDataParallel,
    base_batch: dict,
    meta_batch: dict,
    update: GateUpdate,
    *,
    optim_wrapper: OptimWrapper,
    train_domains: Sequence[int],
    inner_lr: float,
    meta_positions: Sequence[int] | None = None,
) -> dict[str, Tensor]:
    """Make one base step and one update of the gates.

    Args: those of :meth:`MetaBINTrainLoop.metabin_step`; ``update`` holds the settings of the
        gates.

    Returns:
        The terms of :meth:`MetaBINTrainLoop.metabin_step`.

    Raises:
        UserError: If the optimiser wrapper accumulates gradients, which has no meaning here.
    """
    refuse_accumulation(optim_wrapper)
    module = reid_network_of(model)
    # First, while the device has nothing to do: copying would wait for the base step.
    data = module.data_preprocessor(meta_batch, training=True)
    with losses_of_base_step(module.head, update.loss_sets.base):
        log = model.train_step(base_batch, optim_wrapper=optim_wrapper)
    scaler = getattr(optim_wrapper, "loss_scaler", None)
    one = torch.ones((), device=data["inputs"].device)
    scale = one if scaler is None else scaler.scale(one)  # read by `get_scale`, it would wait
    with rows_at(meta_positions):
        meta_log = update(
            module,
            data["inputs"],
            data["data_samples"],
            train_domains=train_domains,
            inner_lr=inner_lr,
            forward_context=lambda: optim_wrapper.optim_context(module),
            loss_scale=1.0 if scaler is None else scale,
        )
    if scaler is not None:
        _back_off_if(meta_log["meta_skipped"], scaler, scale)
    return {**log, **meta_log}


def can_scale_down(optim_wrapper: OptimWrapper) -> bool:
    """Whether gradients that aren't finite may become so by a smaller scale of the losses."""
    scaler = getattr(optim_wrapper, "loss_scaler", None)
    return scaler is not None and scaler.get_scale() >= SMALLEST_SCALE


def _back_off_if(skipped: Tensor, scaler: GradScaler, scale: Tensor) -> None:
    # The scaler hears of overflows in the base step only. At a scale that suits that step but not
    # the meta passes, the gates would never be updated again. The host need not know which it is.
    factor = getattr(scaler, "get_backoff_factor", None)
    if factor is not None:
        scaler.update(torch.where(skipped > 0, scale * factor(), scale))
