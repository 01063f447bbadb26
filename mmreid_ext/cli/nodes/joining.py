"""Start the process group of this rank, after all ranks have met and run the same."""

from __future__ import annotations

import os
from datetime import timedelta
from numbers import Real
from typing import Any

import torch
import torch.distributed as dist
from mmengine.config import Config

from mmreid_ext.errors import UserError

from . import watch
from .card import card_of
from .interface import choose_interfaces
from .losing import end_after
from .meeting import meet, open_store, seconds_to_join

TIMEOUT = timedelta(minutes=5)
"""How long ranks wait for one another in training, unless ``env_cfg.dist_cfg.timeout`` says."""


def timeout_of(cfg: Config) -> timedelta:
    """Return ``env_cfg.dist_cfg.timeout``: seconds or a ``timedelta``; by default 5 minutes.

    Raises:
        UserError: If it is anything else.
    """
    value = ((cfg.get("env_cfg") or {}).get("dist_cfg") or {}).get("timeout")
    if value is None:
        return TIMEOUT
    if isinstance(value, timedelta):
        seconds = value.total_seconds()
    elif isinstance(value, Real) and not isinstance(value, bool):
        seconds = float(value)
    else:
        seconds = 0.0
    if not 0 < seconds < 1e9:
        raise UserError(
            f"env_cfg.dist_cfg.timeout={value!r}: expected a positive number of seconds, or a "
            "timedelta; the default is 300."
        )
    return timedelta(seconds=seconds)


def announce_slurm() -> None:
    """Say in the environment in PyTorch's names what Slurm says in its own."""
    os.environ.setdefault("RANK", os.environ["SLURM_PROCID"])
    os.environ.setdefault("WORLD_SIZE", os.environ["SLURM_NTASKS"])
    os.environ.setdefault("MASTER_PORT", "29500")
    if "MASTER_ADDR" not in os.environ:
        raise UserError(
            "MASTER_ADDR is not set: start through tools/slurm_train.sh, or export the name of the "
            "first machine, MASTER_ADDR=$(scontrol show hostnames $SLURM_JOB_NODELIST | head -n 1)."
        )


def join(
    backend: str, timeout: timedelta, cfg: Config | None = None, **options: Any
) -> dict[str, Any]:
    """Meet the other ranks, start the process group and begin to watch one another.

    The environment names rank, number of ranks and rank 0's place in PyTorch's words.

    Args:
        backend: ``'gloo'`` or ``'nccl'``.
        timeout: How long ranks wait for one another in a collective.
        cfg: The configuration, which must be the same on all ranks; None: ranks share none.
        **options: Further arguments of ``init_process_group``.

    Returns:
        What ranks note for one another: ``resume``, if one of them resumes.

    Raises:
        UserError: If ranks don't come, or run something else; it names rank, machine and remedy.
    """
    rank, world_size = int(os.environ["RANK"]), int(os.environ["WORLD_SIZE"])
    address = _address_in_network()
    wait = seconds_to_join()
    card = card_of(cfg)
    hub = watch.Hub.open(address, world_size) if rank == 0 else None
    resume = bool(cfg is not None and cfg.get("resume"))
    card["notes"] = dict(resume=resume, hub=None if hub is None else hub.place)
    meeting = meet(open_store(rank, world_size, wait), rank, world_size, card, wait)
    watch.start(rank, meeting.hosts, meeting.notes["hub"], hub, end_after)
    dist.init_process_group(
        backend, store=meeting.store, rank=rank, world_size=world_size, timeout=timeout, **options
    )
    return meeting.notes


def _address_in_network() -> str:
    """Return the address under which the other ranks reach this one."""
    world, local = os.environ["WORLD_SIZE"], os.environ.get("LOCAL_WORLD_SIZE")
    alone = world == local or os.environ.get("SLURM_NNODES") == "1"
    if alone:
        return "127.0.0.1"
    return choose_interfaces(os.environ["MASTER_ADDR"])


def set_device() -> None:
    """Give this rank the GPU of its place on its machine."""
    local_rank = os.environ.get("LOCAL_RANK") or os.environ.get("SLURM_LOCALID") or "0"
    torch.cuda.set_device(int(local_rank) % max(1, torch.cuda.device_count()))
