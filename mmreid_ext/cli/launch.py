"""A process made ready for a run: process group, precision, and memory on the CPU."""

from __future__ import annotations

import ctypes
import os
import sys
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
from mmreid_ext.type_names import type_name

from .config import add_launch_arguments, load_config
from .errors import run_tool

__all__ = [
    "add_launch_arguments",
    "expected_world_size",
    "keep_freed_memory",
    "load_config",
    "prepare",
    "run_tool",
    "use_amp",
]

ANNOUNCED = {
    "pytorch": ("WORLD_SIZE", "RANK", "MASTER_ADDR", "MASTER_PORT"),
    "slurm": ("SLURM_NTASKS", "SLURM_PROCID"),
}
"""What a launcher puts into the environment; the first is the number of ranks."""


PRECISIONS = ("OptimWrapper", "AmpOptimWrapper", "BFloat16OptimWrapper")
"""Wrappers of the optimiser that ``--amp`` may put in one another's place."""


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


def _start_gloo(cfg: Config) -> None:
    # MMEngine's own start-up calls torch.cuda.set_device; if a group is running it starts none.
    if cfg.launcher == "slurm":
        os.environ.setdefault("RANK", os.environ["SLURM_PROCID"])
        os.environ.setdefault("WORLD_SIZE", os.environ["SLURM_NTASKS"])
        os.environ.setdefault("MASTER_PORT", "29500")
    if not dist.is_initialized():
        options = (cfg.get("env_cfg") or {}).get("dist_cfg") or {}
        timeout = options.get("timeout")
        limit: dict[str, Any] = {} if timeout is None else dict(timeout=timedelta(seconds=timeout))
        dist.init_process_group("gloo", **limit)
    cfg.setdefault(
        "model_wrapper_cfg",
        dict(
            type="mmengine.MMDistributedDataParallel",
            device_ids=None,
            broadcast_buffers=False,
            find_unused_parameters=cfg.get("find_unused_parameters", False),
        ),
    )


def use_amp(cfg: Config, dtype: str | None = None) -> None:
    """Switch mixed precision on.

    Args:
        cfg: Configuration with an ``optim_wrapper``, changed in place.
        dtype: On a GPU ``'float16'``, ``'bfloat16'`` or ``'auto'``: bfloat16 where it is native;
            None: the ``dtype`` that the configuration has, else as ``'auto'``. On a CPU always
            bfloat16.

    Raises:
        UserError: If float16 is asked for on a CPU, if there is no ``optim_wrapper``, or if it is
            of a type that would be lost.
    """
    if not cfg.get("optim_wrapper"):
        raise UserError("--amp changes `optim_wrapper`, which the configuration lacks.")
    kind = type_name(cfg.optim_wrapper.get("type", "OptimWrapper"))
    if kind not in PRECISIONS:
        raise UserError(
            f"--amp: optim_wrapper.type={kind!r} would be replaced, {' or '.join(PRECISIONS)} can "
            "be; leave --amp out and set the precision there."
        )
    if not torch.cuda.is_available():
        if dtype == "float16":
            raise UserError("float16 needs a GPU; on a CPU --amp means bfloat16.")
        for amp_only in ("dtype", "loss_scale", "use_fsdp"):  # of a configuration made for a GPU
            cfg.optim_wrapper.pop(amp_only, None)
        cfg.optim_wrapper.type = "mmreid_ext.BFloat16OptimWrapper"
        return
    cfg.optim_wrapper.pop("device_type", None)  # of a configuration made for a CPU
    if dtype is None:
        dtype = cfg.optim_wrapper.get("dtype") or "auto"
    if dtype == "auto":
        dtype = "bfloat16" if torch.cuda.is_bf16_supported() else "float16"
    cfg.optim_wrapper.type = "AmpOptimWrapper"
    cfg.optim_wrapper.dtype = dtype
    cfg.optim_wrapper.setdefault("loss_scale", "dynamic")


def keep_freed_memory() -> None:
    """Let the C library keep big freed blocks for the next allocation instead of returning them.

    Activations of tens of megabytes are otherwise mapped anew, page fault by page fault, in every
    iteration; a ResNet's normalisation layers run up to three times faster with it. Worker
    processes of data loaders inherit it, and load an image in four fifths of the time. Does nothing
    outside glibc.
    """
    if not sys.platform.startswith("linux"):
        return
    mmap_threshold, trim_threshold, large = -3, -1, 2**31 - 1
    try:
        libc = ctypes.CDLL("libc.so.6")
        libc.mallopt(mmap_threshold, large)
        libc.mallopt(trim_threshold, large)
    except (OSError, AttributeError):  # another C library
        return
