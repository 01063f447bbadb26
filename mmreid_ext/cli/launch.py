"""Make a process ready for a run: settings, process group, memory."""

from __future__ import annotations

import os
from datetime import timedelta
from typing import Any

import torch
import torch.distributed as dist
from mmengine.config import Config

from mmreid_ext.compat import enable_safe_checkpoints
from mmreid_ext.engine.settings.idle_settings import check_complete
from mmreid_ext.engine.settings.loader_settings import without_idle_workers
from mmreid_ext.engine.settings.spelling import check_spelling
from mmreid_ext.errors import UserError

from .freed_memory import keep_freed_memory

ANNOUNCED = {
    "pytorch": ("WORLD_SIZE", "RANK", "MASTER_ADDR", "MASTER_PORT"),
    "slurm": ("SLURM_NTASKS", "SLURM_PROCID"),
}
"""What a launcher puts into the environment; the first is the number of ranks."""


def prepare(cfg: Config, local_rank: int = 0) -> Config:
    """Make ``cfg`` and this process ready for a runner; call it once, before building one.

    Settings that contradict one another stop here. Checkpoints become data (never executed), freed
    memory is kept, and without an accelerator the process group is started on gloo. Batch sizes
    are shared out later, when the runner builds its training loop: any number of ranks can test.
    """
    os.environ.setdefault("LOCAL_RANK", str(local_rank))
    expected_world_size(cfg.get("launcher", "none"))
    check_spelling(cfg)
    check_complete(cfg.get("test_dataloader"), "test_dataloader")
    enable_safe_checkpoints()
    has_accelerator = torch.cuda.is_available()
    keep_freed_memory()
    if cfg.get("launcher", "none") != "none" and not has_accelerator:
        _start_gloo(cfg)
    for name in ("train_dataloader", "val_dataloader", "test_dataloader"):
        if isinstance(cfg.get(name), dict):
            cfg[name] = without_idle_workers(cfg[name])
    return cfg


def expected_world_size(launcher: str) -> int:
    """Return the number of ranks that the launcher announces in the environment.

    Raises:
        UserError: If it announces none, so that this process was started otherwise.
    """
    if launcher not in ANNOUNCED:
        return 1
    missing = [name for name in ANNOUNCED[launcher] if name not in os.environ]
    if missing:
        raise UserError(
            f"--launcher {launcher} expects {', '.join(missing)} in the environment: start through "
            "tools/dist_train.sh, tools/dist_test.sh, tools/slurm_train.sh or torchrun."
        )
    return int(os.environ[ANNOUNCED[launcher][0]])


def join_ranks(launcher: str, timeout: timedelta | None = None) -> None:
    """Start the process group of gloo, for ranks that the launcher has started.

    ``expected_world_size`` says before it whether the launcher announces them.

    Args:
        launcher: ``'pytorch'`` or ``'slurm'``; for ``'none'`` nothing is done.
        timeout: How long ranks wait for one another. None: PyTorch's default.
    """
    if launcher == "none" or dist.is_initialized():
        return
    if launcher == "slurm":
        os.environ.setdefault("RANK", os.environ["SLURM_PROCID"])
        os.environ.setdefault("WORLD_SIZE", os.environ["SLURM_NTASKS"])
        os.environ.setdefault("MASTER_PORT", "29500")
    limit: dict[str, Any] = {} if timeout is None else dict(timeout=timeout)
    dist.init_process_group("gloo", **limit)


def _start_gloo(cfg: Config) -> None:
    # MMEngine's own start-up calls torch.cuda.set_device; if a group is running it starts none.
    options = (cfg.get("env_cfg") or {}).get("dist_cfg") or {}
    timeout = options.get("timeout")
    join_ranks(cfg.launcher, None if timeout is None else timedelta(seconds=timeout))
    cfg.setdefault(
        "model_wrapper_cfg",
        dict(
            type="mmengine.MMDistributedDataParallel",
            device_ids=None,
            broadcast_buffers=False,
            find_unused_parameters=cfg.get("find_unused_parameters", False),
        ),
    )
