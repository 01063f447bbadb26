"""Ranking and re-ranking at the sizes of Market-1501 and MSMT17."""

from __future__ import annotations

import torch
from planted import SIZES, plant
from torch import Tensor

from mmreid_ext.evaluation import evaluate_retrieval

from .equality import full_float32, on_device
from .job import Job

TITLE = "Ranking and re-ranking"
ABOUT = (
    "Features of planted identities (2048-d, float32) are on the device. The products are "
    "`torch.mm` in blocks, in full float32, queries x gallery for ranking and N x N for "
    "re-ranking. Peak memory is beyond the features. Times are medians of 5 at Market-1501's size, "
    "and those of a second call at MSMT17's."
)
TABLE = "Ranking"
GOALS = {("market", None): 0.05, ("market", "rerank"): 0.5, ("msmt17", "rerank"): 10.0}
"""Seconds"""
BLOCK = 4096


def run(job: Job) -> None:
    """Measure both at each size, the smaller size first."""
    evaluate_retrieval(**on_device(plant("tiny"), job.device.name), rerank={})  # loads libraries
    for size in ("tiny",) if job.toy else ("market", "msmt17"):
        if not job.has_time(1 if job.toy else 8, f"{size}, all"):
            return
        data = on_device(plant(size), job.device.name)
        for name, rerank in {"ranking": None, "re-ranking": {}}.items():
            if job.has_time(3, f"{name} at {size}'s size"):
                with job.trying(f"{name} at {size}'s size"):
                    measure(job, size, name, data, rerank)
        del data
        job.device.release()


def measure(job: Job, size: str, name: str, data: dict, rerank: dict | None) -> None:
    """Time one evaluation and its product, in turns."""
    left, right = data["query_feats"], data["gallery_feats"]
    if rerank is not None:
        left = right = torch.cat([left, right])
    result: list = []

    def evaluate() -> None:
        result[:] = [evaluate_retrieval(**data, rerank=rerank)]

    held = job.device.held()
    peak = job.device.peak_of(evaluate) - held
    with full_float32():
        steps = {"product": lambda: product(left, right), "ours": evaluate}
        if size == "market":
            times = job.device.seconds(steps)
        else:  # the call above was the first
            times = {name: job.device.once(step) for name, step in steps.items()}
    queries, gallery = SIZES[size][:2]
    goal = GOALS.get((size, None if rerank is None else "rerank"))
    job.row(
        TABLE,
        size=size,
        queries_x_gallery=f"{queries:,} x {gallery:,}",
        what=name,
        product_s=times["product"],
        ours_s=times["ours"],
        ratio=times["ours"] / times["product"],
        goal_s=goal,
        met=None if goal is None else times["ours"] <= goal,
        peak_MB=peak / 1e6,
        R1=float(result[0].cmc[0]),
        mAP=float(result[0].mAP),
    )


def product(left: Tensor, right: Tensor) -> None:
    """Multiply in blocks; each overwrites the one before it."""
    out = torch.empty(min(BLOCK, len(left)), len(right), device=left.device, dtype=left.dtype)
    for block in left.split(BLOCK):
        torch.mm(block, right.T, out=out[: len(block)])
