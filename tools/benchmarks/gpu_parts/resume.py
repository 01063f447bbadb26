"""Exact resume: a run that goes on from a checkpoint ends with the bits of one that never ended."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from mmreid_ext.checkpoint import safe_load

from .job import Job
from .pictures import ROOT, call_train, synthetic_root, synthetic_settings

TITLE = "Exact resume"
ABOUT = (
    "`tools/train.py configs/metabin_r18_synthetic.py --deterministic` runs once to its end, and "
    "once, in another process, from the checkpoint in its middle. Weights, running averages, gates "
    "and the optimiser's state are compared bit for bit."
)


def run(job: Job) -> None:
    """Train twice in float32; then, if there is time, in mixed precision."""
    data = synthetic_root(job)
    for name, options in {"float32": (), "mixed precision": ("--amp",)}.items():
        if name != "float32" and (job.toy or not job.has_time(40, name)):
            continue
        with job.trying(f"resume, {name}", equality=True):
            resume_once(job, data, name, options)


def resume_once(job: Job, data: Path, name: str, options: tuple[str, ...]) -> None:
    """Compare the last checkpoints of a whole run and of a resumed one."""
    length = 2 if job.toy else 6
    place = job.folder / "resume" / name.replace(" ", "_")
    shutil.rmtree(place, ignore_errors=True)
    arguments = [ROOT / "configs" / "metabin_r18_synthetic.py", "--deterministic", "--no-validate"]
    settings = [
        *synthetic_settings(job),
        f"train_cfg.max_iters={length}",
        f"default_hooks.checkpoint.interval={length // 2}",
    ]
    arguments += [*options, "--cfg-options", *settings]
    call_train(job, data, *arguments, "--work-dir", place / "whole")
    middle = place / "whole" / f"iter_{length // 2}.pth"
    call_train(job, data, *arguments, "--work-dir", place / "resumed", "--resume", middle)
    whole, resumed = (
        dict(tensors_of(safe_load(str(place / run / f"iter_{length}.pth"), map_location="cpu")))
        for run in ("whole", "resumed")
    )
    missing = whole.keys() ^ resumed.keys()
    other = [key for key in whole.keys() & resumed.keys() if not same(whole[key], resumed[key])]
    job.check(f"resume, {name}: tensors of {len(whole)} that differ", len(missing) + len(other), 0)
    if other:
        job.note(f"Resumed, {name}: {sorted(other)[0]} is the first tensor that differs.")
    shutil.rmtree(place, ignore_errors=True)


def tensors_of(value: Any, name: str = "") -> Iterator[tuple[str, Tensor]]:
    """Every tensor of a checkpoint with its place in it; what is logged is left out."""
    if isinstance(value, Tensor):
        yield name, value
    elif isinstance(value, dict):
        for key, inner in value.items():
            if key not in ("message_hub", "meta"):
                yield from tensors_of(inner, f"{name}/{key}")
    elif isinstance(value, (list, tuple)):
        for place, inner in enumerate(value):
            yield from tensors_of(inner, f"{name}/{place}")


def same(one: Tensor, other: Tensor) -> bool:
    """Whether two tensors have the same bits; NaN equals itself."""
    if one.dtype != other.dtype or one.shape != other.shape:
        return False
    as_bytes = (t.detach().cpu().contiguous().reshape(-1).view(torch.uint8) for t in (one, other))
    return bool(torch.equal(*as_bytes))
