"""Say which batch norms of a network see the images of one rank only."""

from __future__ import annotations

import logging

from mmengine.logging import print_log
from mmengine.runner import Runner
from torch import nn

from mmreid_ext.distributed import get_world_size
from mmreid_ext.engine.network import network_of
from mmreid_ext.shorten import shorten

PLAIN = (nn.BatchNorm1d, nn.BatchNorm2d, nn.BatchNorm3d)
"""PyTorch's batch norms, and what is derived from them. Synchronised ones aren't."""


def check_plain_norms(runner: Runner) -> None:
    """Warn of batch norms that several ranks don't synchronise.

    Their ranks normalise by different statistics, and the checkpoint holds those of rank 0: the
    weights differ from those of one rank from the first step on.

    Args:
        runner: With its model, and with a process group if there are several ranks.
    """
    model = network_of(runner.model)
    names = plain_norms(model)
    if get_world_size() == 1 or not names:
        return
    size = (
        "batch_size_is_global=True promises the result of one rank, and this run will differ"
        if runner.cfg.get("batch_size_is_global")
        else "the checkpoint holds the statistics of rank 0"
    )
    print_log(
        f"model: {len(names)} batch norms see the images of one of {get_world_size()} ranks only "
        f"({shorten(names)}): {size}. Use norm_cfg=dict(type='mmreid_ext.SyncBN'); "
        "in a backbone of your own, build norms by "
        "MODELS.build(dict(type='mmreid_ext.SyncBN', num_features=C)).",
        logger="current",
        level=logging.WARNING,
    )


def plain_norms(model: nn.Module) -> list[str]:
    """Return the names of the batch norms that learn from the images of their rank alone.

    Frozen ones don't count, nor those of a backbone with ``norm_eval``.
    """
    fixed = "backbone." if getattr(getattr(model, "backbone", None), "norm_eval", False) else None
    found = [
        name
        for name, module in model.named_modules()
        if isinstance(module, PLAIN) and _learns(module)
    ]
    return [name for name in found if fixed is None or not name.startswith(fixed)]


def _learns(module: nn.Module) -> bool:
    parameters = list(module.parameters())
    return not parameters or any(p.requires_grad for p in parameters)
