"""Batch-instance norm against batch norm: forward and backward, eager and compiled."""

from __future__ import annotations

import itertools

import bin as norms
import torch

from .job import Job

TITLE = "Batch-instance norm"
ABOUT = (
    "Forward and backward in training mode, medians of 5, against `F.batch_norm` of the same call. "
    "`two branches` mixes both norms as published. `compiled` is ours under `torch.compile`, "
    "against the same eager batch norm. The goal is 1.2 times."
)
GOAL = 1.2
BATCH = 96
"""Images of a batch of MetaBIN"""


TO_COMPILE = norms.SHAPES[1::2]
"""Each takes many seconds"""
SECONDS_TO_COMPILE = 12


def run(job: Job) -> None:
    """Measure eager in every type, then compiled."""
    shapes, batch = (["8x8x4"], 4) if job.toy else (norms.SHAPES, BATCH)
    usable = [name for name, wrapper in job.device.precisions().items() if wrapper is not None]
    for layout, dtype, shape in itertools.product(norms.FORMATS, usable, shapes):
        what = f"eager, {layout}, {dtype}, {shape}"
        if job.has_time(0.1 if job.toy else 1, what):
            with job.trying(what):
                measure(job, layout, dtype, f"{batch}x{shape}", compiled=False)
    if not job.compiled:
        return
    some = shapes if job.toy else TO_COMPILE
    for shape, dtype, layout in itertools.product(some, usable[:2], norms.FORMATS):
        what = f"compiled, {layout}, {dtype}, {shape}"
        if job.has_time(SECONDS_TO_COMPILE, what):
            with job.trying(what):
                job.device.forget_compiled()
                measure(job, layout, dtype, f"{batch}x{shape}", compiled=True)


def measure(job: Job, layout: str, dtype: str, shape: str, compiled: bool) -> None:
    """Add a row for one map."""
    size = tuple(map(int, shape.split("x")))
    generator = torch.Generator().manual_seed(0)
    x, grad = (
        torch.randn(size, generator=generator)
        .to(job.device.name, getattr(torch, dtype))
        .to(memory_format=norms.FORMATS[layout])
        for _ in range(2)
    )
    x.requires_grad_()

    def step(forward) -> None:
        forward().backward(grad)
        x.grad = None

    forwards = norms.candidates(x, compiled)
    if compiled:
        del forwards["two branches"]
    steps = {name: lambda f=forward: step(f) for name, forward in forwards.items()}
    times = job.device.seconds(steps, rounds=1 if job.toy else 5)
    base = times["batch norm"]
    branches = times["two branches"] / base if "two branches" in times else None
    ratio = times["ours"] / base
    job.row(
        "Compiled" if compiled else "Eager",
        layout="NCHW" if layout == "nchw" else layout.replace("_", "-"),
        type=dtype,
        N_x_C_x_H_x_W=shape,
        batch_norm_ms=1e3 * base,
        two_branches_ratio=branches,
        ours_ms=1e3 * times["ours"],
        ours_ratio=ratio,
        met=ratio <= GOAL,
    )
