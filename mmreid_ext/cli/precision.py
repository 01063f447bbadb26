"""Switch mixed precision on from the command line."""

from __future__ import annotations

import torch
from mmengine.config import Config

from mmreid_ext.errors import UserError
from mmreid_ext.type_names import type_name

PRECISIONS = ("OptimWrapper", "AmpOptimWrapper", "BFloat16OptimWrapper")
"""Wrappers of the optimiser that ``--amp`` may put in one another's place."""


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
