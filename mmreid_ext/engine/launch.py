"""What the command lines share: process groups, batch sizes, precision, and memory on the CPU."""

from __future__ import annotations

import ctypes
import os
import sys
from argparse import ArgumentParser, Namespace
from collections.abc import Callable
from pathlib import Path

import torch
import torch.distributed as dist
from mmengine.config import Config, DictAction

from mmreid_ext.compat import enable_safe_checkpoints
from mmreid_ext.errors import MissingFileError, UserError


def add_launch_arguments(parser: ArgumentParser) -> None:
    """Add the arguments that every OpenMMLab tool has."""
    parser.add_argument(
        "--work-dir", help="folder of logs and checkpoints (default: work_dirs/<config name>)"
    )
    parser.add_argument(
        "--seed", type=int, help="seed of everything random (default: the configuration's)"
    )
    parser.add_argument(
        "--cfg-options",
        nargs="+",
        action=DictAction,
        metavar="KEY=VALUE",
        help='change settings of the configuration, e.g. model.head.num_classes=150 key="[a,b]"',
    )
    parser.add_argument(
        "--launcher", choices=["none", "pytorch", "slurm"], default="none", help="job launcher"
    )
    # torchrun speaks through the environment, torch.distributed.launch through this argument.
    parser.add_argument(
        "--local_rank", "--local-rank", type=int, default=0, help="set by the launcher"
    )


def load_config(args: Namespace) -> Config:
    """Read the configuration and lay the common arguments over it.

    Raises:
        FileNotFoundError: If there is no such configuration; names the folder's configurations.
    """
    path = Path(args.config)
    if not path.suffix:  # `mim train mmreid_ext metabin_r50`: the name that `mim search` shows
        path = path.with_suffix(".py")
    if not path.is_file():
        near = sorted(p.name for p in path.parent.glob("*.py")) if path.parent.is_dir() else []
        hint = f" {path.parent} has: {', '.join(near)}." if near else ""
        raise MissingFileError(f"No configuration {path}.{hint}")
    cfg = Config.fromfile(path)
    if args.cfg_options:
        cfg.merge_from_dict(args.cfg_options)
    cfg.launcher = args.launcher
    if args.seed is not None:
        cfg.setdefault("randomness", {})
        cfg.randomness.seed = args.seed
    cfg.work_dir = args.work_dir or cfg.get("work_dir") or str(Path("work_dirs") / path.stem)
    return cfg


def prepare(cfg: Config, local_rank: int = 0) -> Config:
    """Make ``cfg`` and this process ready for a runner; call it once, before building one.

    Checkpoints become data (never executed), batch sizes are shared out over the ranks, freed
    memory is kept, and without an accelerator the process group is started on gloo.
    """
    os.environ.setdefault("LOCAL_RANK", str(local_rank))
    enable_safe_checkpoints()
    has_accelerator = torch.cuda.is_available()
    keep_freed_memory()
    if cfg.get("launcher", "none") != "none" and not has_accelerator:
        _start_gloo(cfg)
    expected_world_size(cfg.get("launcher", "none"))
    return cfg


def expected_world_size(launcher: str) -> int:
    """Number of ranks that the launcher announces in the environment."""
    if launcher == "none":
        return 1
    name = "SLURM_NTASKS" if launcher == "slurm" else "WORLD_SIZE"
    if name not in os.environ:
        raise RuntimeError(
            f"--launcher {launcher} expects {name} in the environment: start through "
            "tools/dist_train.sh, tools/dist_test.sh, tools/slurm_train.sh or torchrun."
        )
    return int(os.environ[name])


def _start_gloo(cfg: Config) -> None:
    # MMEngine's own start-up calls torch.cuda.set_device; if a group is running it starts none.
    if cfg.launcher == "slurm":
        os.environ.setdefault("RANK", os.environ["SLURM_PROCID"])
        os.environ.setdefault("WORLD_SIZE", os.environ["SLURM_NTASKS"])
        os.environ.setdefault("MASTER_PORT", "29500")
    if not dist.is_initialized():
        dist.init_process_group("gloo")
    cfg.setdefault(
        "model_wrapper_cfg",
        dict(type="mmengine.MMDistributedDataParallel", device_ids=None, broadcast_buffers=False),
    )


def use_amp(cfg: Config, dtype: str = "auto") -> None:
    """Switch mixed precision on.

    Args:
        cfg: Configuration with an ``optim_wrapper``, changed in place.
        dtype: On a GPU ``'float16'``, ``'bfloat16'`` or ``'auto'``: bfloat16 where it is native. On
            a CPU always bfloat16.

    Raises:
        ValueError: If float16 is asked for on a CPU.
    """
    if not torch.cuda.is_available():
        if dtype == "float16":
            raise UserError("float16 needs a GPU; on a CPU --amp means bfloat16.")
        for amp_only in ("dtype", "loss_scale", "use_fsdp"):  # of a configuration made for a GPU
            cfg.optim_wrapper.pop(amp_only, None)
        cfg.optim_wrapper.type = "mmreid_ext.BFloat16OptimWrapper"
        return
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


def run_tool(main: Callable[[], None]) -> None:
    """Call ``main``; what a user can mend ends the program with its message instead of a traceback.

    The environment variable ``MMREID_TRACEBACK`` shows the traceback all the same.
    """
    try:
        main()
    except (FileNotFoundError, ValueError, FloatingPointError, ImportError) as error:
        if os.environ.get("MMREID_TRACEBACK"):
            raise
        sys.exit(f"error: {error}\n(MMREID_TRACEBACK=1 shows where it was raised)")
