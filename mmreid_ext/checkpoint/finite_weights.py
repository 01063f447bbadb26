"""Checkpoints are written of finite weights only: where training diverges, the last stays good."""

from __future__ import annotations

from pathlib import Path

import torch
from mmengine.runner import Runner
from torch import nn

from mmreid_ext.checkpoint.resume.latest import POINTER
from mmreid_ext.distributed import any_rank
from mmreid_ext.errors import DivergenceError, UserError
from mmreid_ext.shorten import shorten

from .safe_load import safe_load


def require_finite(runner: Runner, iteration: int) -> None:
    """Refuse to write weights that have diverged over good ones.

    Raises:
        DivergenceError: Naming the first of them.
    """
    model = getattr(runner.model, "module", runner.model)
    state = {**dict(model.named_parameters()), **_running_statistics(model)}
    state = {name: value for name, value in state.items() if torch.is_floating_point(value)}
    if not state:
        return
    flags = [value.detach().isfinite().all() for value in state.values()]
    finite = torch.stack([flag.to(flags[0].device) for flag in flags])
    if not any_rank(~finite.all()):
        return
    bad = [name for name, good in zip(state, finite.tolist(), strict=True) if not good]
    where = shorten(bad, "; ") or "on another rank"
    raise DivergenceError(
        f"Weights are not finite after iteration {iteration}: {where}. "
        f"No checkpoint is written of them. {what_is_left(runner.work_dir)}"
    )


def what_is_left(work_dir: str) -> str:
    """Say what a run that has diverged can go on from; its last checkpoint is looked at.

    Args:
        work_dir: Folder of the run.
    """
    pointer = Path(work_dir) / POINTER
    last = pointer.read_text(encoding="utf-8").strip() if pointer.is_file() else ""
    advice = "with a smaller learning rate, or without --amp"
    if not last or "://" in last:
        return f"Start again from {last or 'the beginning'}, {advice}."
    if _holds_finite_weights(last):
        return (
            f"The weights in {last} are finite: start a new run from them, `load_from` without "
            f"`resume`, {advice}; if they diverge again, take an earlier checkpoint."
        )
    return f"{last} holds no finite weights either: start from an earlier checkpoint, {advice}."


def _holds_finite_weights(path: str) -> bool:
    try:
        state = safe_load(path, map_location="cpu")["state_dict"]
    except (UserError, OSError, LookupError, TypeError):
        return False
    return all(bool(v.isfinite().all()) for v in state.values() if torch.is_floating_point(v))


def _running_statistics(model: nn.Module) -> dict[str, torch.Tensor]:
    return {n: b for n, b in model.named_buffers() if n.rpartition(".")[2].startswith("running_")}
