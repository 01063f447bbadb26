"""Make a process ready for a run: settings, process group, memory."""

from __future__ import annotations

import os
from datetime import timedelta

import torch
import torch.distributed as dist
from mmengine.config import Config

from mmreid_ext.compat import enable_safe_checkpoints
from mmreid_ext.engine.settings.environment_settings import check_environment_settings
from mmreid_ext.engine.settings.idle_settings import check_complete
from mmreid_ext.engine.settings.loader_settings import without_idle_workers
from mmreid_ext.engine.settings.spelling import check_spelling
from mmreid_ext.errors import UserError
from mmreid_ext.output_files.loading_folder import share_loading_folder

from .freed_memory import keep_freed_memory
from .nodes.joining import TIMEOUT, announce_slurm, join, set_device, timeout_of

ANNOUNCED = {
    "pytorch": ("WORLD_SIZE", "RANK", "MASTER_ADDR", "MASTER_PORT"),
    "slurm": ("SLURM_NTASKS", "SLURM_PROCID"),
}
"""What a launcher puts into the environment; the first is the number of ranks."""


def prepare(cfg: Config, local_rank: int = 0) -> Config:
    """Make ``cfg`` and this process ready for a runner; call it once, before building one.

    Settings that contradict one another stop here. Checkpoints become data (never executed), freed
    memory is kept, and ranks meet: on NCCL, or on gloo without a GPU. Batch sizes are shared out
    later, when the runner builds its training loop: any number of ranks can test.
    """
    os.environ.setdefault("LOCAL_RANK", str(local_rank))
    expected_world_size(cfg.get("launcher", "none"))
    check_spelling(cfg)
    check_environment_settings(cfg)
    timeout_of(cfg)  # on one rank too: the next start may have several
    check_complete(cfg.get("test_dataloader"), "test_dataloader")
    enable_safe_checkpoints()
    if (cfg.get("randomness") or {}).get("deterministic"):
        # Without it cuBLAS refuses to work under torch.use_deterministic_algorithms.
        os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")
    keep_freed_memory()
    share_loading_folder()
    if cfg.get("launcher", "none") != "none":
        _start_group(cfg)
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
        timeout: How long ranks wait for one another. None: five minutes.
    """
    if launcher == "none" or dist.is_initialized():
        return
    if launcher == "slurm":
        announce_slurm()
    join("gloo", timeout or TIMEOUT)


def _start_group(cfg: Config) -> None:
    """Start the process group; MMEngine starts none if one is running."""
    options = dict((cfg.get("env_cfg") or {}).get("dist_cfg") or {})
    timeout = timeout_of(cfg)
    if dist.is_initialized() or options.pop("init_backend", "torch") != "torch":
        return  # of another package: MMEngine calls it
    if cfg.launcher == "slurm":
        announce_slurm()
    backend, has_gpu = options.pop("backend", "nccl"), torch.cuda.is_available()
    options = {key: value for key, value in options.items() if key not in ("timeout", "port")}
    if has_gpu:
        set_device()
    else:
        backend, options = "gloo", {}
    notes = join(backend, timeout, cfg, **options)
    if notes.get("resume"):
        cfg.resume = True  # a machine that was started again joins ranks that resume
    if not has_gpu:
        cfg.setdefault(
            "model_wrapper_cfg",
            dict(
                type="mmengine.MMDistributedDataParallel",
                device_ids=None,
                broadcast_buffers=False,
                find_unused_parameters=cfg.get("find_unused_parameters", False),
            ),
        )
