"""Equality of this device and the CPU, both against the CPU in float64."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
import torch
from planted import plant
from torch import Tensor

from mmreid_ext.evaluation import evaluate_retrieval, k_reciprocal_rerank

from . import equality_cases as cases
from .equality_cases import Case, Place
from .job import Job

TITLE = "Equality with the CPU"
ABOUT = (
    "Each case runs on the device, and on the CPU in the same type and in float64. Errors are the "
    "largest difference from float64 over the largest value. The limit is ten times the CPU's own "
    "error, or a few units of the type's last place where that is more. TF32 is off here."
)
FLOORS = {"float64": 1e-9, "float32": 2e-5, "float16": 4e-3, "bfloat16": 3.2e-2}
"""Errors that any order of summation may cause: 2^24 times 2^-53; 170, 4 and 4 units of 2^-n"""
OF_A_STEP = 1e-3
"""The same for a whole network in float32: a maximum or the hardest image may be another one"""
NOTHING = 1e-30


def run(job: Job) -> None:
    """Compare everything; what raises isn't equal."""
    halves = ["float16", "bfloat16"]
    with full_float32():
        for name, case in cases.all_norms():
            compare(job, name, case, ["float64", "float32", *halves])
        for name, case in cases.all_losses():
            compare(job, name, case, ["float32", *halves])
        for name, case in cases.all_steps():
            compare(job, name, case, ["float64"])
            compare(job, name, case, ["float32"], floor=OF_A_STEP)
    for rerank in (None, {}):
        for distance in ("cosine", "euclidean") if rerank is None else ("cosine",):
            what = "ranking" if rerank is None else "re-ranking"
            with job.trying(f"{what}, {distance}", equality=True):
                compare_rankings(job, f"{what}, {distance}", rerank, distance)


@contextmanager
def full_float32() -> Iterator[None]:
    """Switch TF32 off, as ranking does by itself."""
    before = torch.backends.cudnn.allow_tf32, torch.backends.cuda.matmul.allow_tf32
    torch.backends.cudnn.allow_tf32 = torch.backends.cuda.matmul.allow_tf32 = False
    try:
        yield
    finally:
        torch.backends.cudnn.allow_tf32, torch.backends.cuda.matmul.allow_tf32 = before


def compare(job: Job, name: str, case: Case, dtypes: list[str], floor: float = 0.0) -> None:
    """Check one case in several types, result by result; the worst of them is reported."""
    for dtype in dtypes:
        what = f"{name}, {dtype}"
        if not job.has_time(1, what):
            continue
        with job.trying(what, equality=True):
            rounded = getattr(torch, dtype)
            exact = case(Place("cpu", torch.float64, rounded))
            here = exact if dtype == "float64" else case(Place("cpu", rounded, rounded))
            there = case(Place(job.device.name, rounded, rounded))
            least = max(floor, FLOORS[dtype])
            worst, error, limit = worst_of(exact, here, there, least)
            job.check(f"{what} ({worst})", error, limit)


def worst_of(
    exact: dict[str, Tensor], here: dict[str, Tensor], there: dict[str, Tensor], least: float
) -> tuple[str, float, float]:
    """Return the result that is nearest to its limit or farthest beyond: name, error, limit."""
    found = []
    for name, reference in exact.items():
        limit = max(least, 10 * error_of(here[name], reference))
        error = error_of(there[name], reference)
        found.append((error / limit, name, error, limit))
    return max(found)[1:]


def error_of(value: Tensor, reference: Tensor) -> float:
    """Largest difference over the largest reference; infinite where a value isn't finite."""
    value, reference = (t.detach().to("cpu", torch.float64) for t in (value, reference))
    if value.shape != reference.shape:
        return float("inf")
    if value.numel() == 0:
        return 0.0
    difference = (value - reference).abs().max().item() / max(reference.abs().max().item(), NOTHING)
    return difference if np.isfinite(difference) else float("inf")


def compare_rankings(job: Job, what: str, rerank: dict | None, distance: str) -> None:
    """Check that every rank is the CPU's, and the average precisions up to their last place."""
    data = plant("tiny" if job.toy else "small")
    options = dict(rerank=rerank, distance=distance)
    here = evaluate_retrieval(**data, **options)
    there = evaluate_retrieval(**on_device(data, job.device.name), **options)
    moved = int((here.first_hit != there.first_hit).sum())
    job.check(f"{what}: queries whose first match has another rank", moved, 0)
    for name in ("ap", "inp", "cmc"):
        error = np.nanmax(np.abs(getattr(here, name) - getattr(there, name)))
        job.check(f"{what}: {name}", error, 1e-12)
    if rerank is not None:
        pair = data["query_feats"], data["gallery_feats"]
        distances = k_reciprocal_rerank(*pair)
        other = k_reciprocal_rerank(*(feats.to(job.device.name) for feats in pair))
        job.check(f"{what}: distances", error_of(other, distances), 1e-6)


def on_device(data: dict, device: str) -> dict:
    """Bring features to a device; labels stay what they are."""
    return {k: v.to(device) if isinstance(v, Tensor) else v for k, v in data.items()}
