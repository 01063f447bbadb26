"""Settings of a training loader, as they are written and as one rank uses them."""

from __future__ import annotations

import copy
import inspect
from typing import Any

from torch.utils.data import DataLoader

from mmreid_ext.errors import UserError
from mmreid_ext.registry import DATA_SAMPLERS


def rank_settings(
    loader: dict | DataLoader, is_global: bool, world_size: int, name: str = "train_dataloader"
) -> dict | DataLoader:
    """Return the settings of a training loader for one of ``world_size`` ranks.

    With ``batch_size_is_global = True`` in the configuration (ours have it) the number written
    there is that of all ranks together, so a run computes the same on 1, 2 or 4. Our training loops
    call this when they are built, and the runner calls it for other loops: a batch is divided
    once. An identity sampler takes the batch size of its loader.

    Args:
        loader: ``batch_size``, ``sampler`` and so on; not changed. A loader that is built already
            is returned as it is.
        is_global: Value of ``batch_size_is_global``.
        world_size: Number of ranks.
        name: Where the settings stand, for messages.

    Raises:
        UserError: If the batch can't be divided evenly, or if the sampler says another size.
    """
    if not isinstance(loader, dict):
        return loader
    loader = without_idle_workers(loader)
    size = loader.get("batch_size")
    if size is None:  # a batch_sampler of the user's own
        return loader
    sampler = loader.get("sampler")
    if isinstance(sampler, dict):
        sampler = loader["sampler"] = copy.copy(sampler)
        _check_sampler_size(sampler, size, name)
    if is_global:
        size = _share(size, world_size, name)
    loader["batch_size"] = size
    if isinstance(sampler, dict) and _takes_batch_size(sampler):
        sampler["batch_size"] = size
    return loader


def without_idle_workers(loader: dict) -> dict:
    """Return a copy without the options of worker processes where there is none.

    PyTorch refuses ``persistent_workers`` and ``prefetch_factor`` beside ``num_workers=0``.
    """
    loader = copy.copy(loader)
    if not loader.get("num_workers"):
        for option in ("persistent_workers", "prefetch_factor"):
            loader.pop(option, None)
    return loader


def _share(size: int, world_size: int, name: str) -> int:
    if size % world_size:
        raise UserError(
            f"{name}.batch_size={size}: a global batch of {size} images can't be shared by "
            f"{world_size} ranks: choose a multiple."
        )
    return size // world_size


def _check_sampler_size(sampler: dict, size: int, name: str) -> None:
    written = sampler.get("batch_size", size)
    if written != size:
        raise UserError(
            f"{name}.batch_size={size}, but {name}.sampler.batch_size={written}: leave out the "
            "sampler's, it follows its loader."
        )


def _takes_batch_size(sampler: dict) -> bool:
    kind: Any = sampler.get("type")
    kind = DATA_SAMPLERS.get(kind) if isinstance(kind, str) else kind
    return callable(kind) and "batch_size" in inspect.signature(kind).parameters
