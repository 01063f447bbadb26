"""One iteration of MetaBIN in every precision, against the published composition and the floor."""

from __future__ import annotations

import functools
from argparse import Namespace
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import metabin_candidates as candidates
import torch

from .equality_cases import SMALL
from .job import Job
from .waits import count_waits, places_of_waits

TITLE = "One iteration of MetaBIN"
ABOUT = (
    "Base step, meta-train and meta-test pass on images in memory, medians of 5. `published` has "
    "two-branch norms and three full backward passes, `floor` convolutions alone. Ratios are to "
    "those of the same type, and to the floor of the quicker layout. Peak memory is with weights "
    "and optimiser. Waits are those of the host for the device in one iteration. Goals: 2.0 times "
    "as quick as published, and 1.25 times the floor."
)
GOALS = dict(published=2.0, floor=1.25)
BIG = Namespace(depth=50, height=256, width=128, batch_size=96, instances=4, domains=6)
TOY = Namespace(depth=18, height=32, width=16, batch_size=8, instances=2, domains=2)
LAYOUTS = {"NCHW": False, "channels-last": True}
SECONDS_TO_COMPILE = 60


@dataclass(frozen=True)
class Candidate:
    """One way to compute an iteration.

    Attributes:
        name: In the table.
        build: Returns a function that makes a step.
        images: Of one step.
        layout: Of the maps in memory, one of ``LAYOUTS``.
        watched: Whether its waits are counted.
    """

    name: str
    build: Callable[[], candidates.Step]
    images: int
    layout: str = "NCHW"
    watched: bool = False


def run(job: Job) -> None:
    """Measure each precision in turn, what is compiled last."""
    args = Namespace(**vars(TOY if job.toy else BIG), device=job.device.name)
    seen: dict[str, dict[str, float]] = {}
    for dtype, wrapper in job.device.precisions().items():
        if wrapper is None:
            job.note(f"{dtype}: this device doesn't train in it.")
            continue
        seen[dtype] = {}
        for candidate in eager(args, dtype, wrapper, job.toy):
            measure(job, dtype, candidate, seen[dtype])
    for dtype in reversed(seen) if job.compiled else ():
        candidate = compiled(args, job.device.precisions()[dtype], job.toy)
        measure(job, dtype, candidate, seen[dtype], SECONDS_TO_COMPILE)


def eager(args: Namespace, dtype: str, wrapper: dict, toy: bool) -> list[Candidate]:
    """The candidates of one precision: what others are compared with comes first."""
    both, one = 2 * args.batch_size, args.batch_size
    made, model = functools.partial, _model(toy)
    found = [
        Candidate("published", made(candidates.published, args, wrapper, **model), both),
        *(
            Candidate("floor", made(candidates.floor, args, dtype, last, **model), both, layout)
            for layout, last in LAYOUTS.items()
        ),
    ]
    for layout, last in LAYOUTS.items():
        step = made(candidates.ours, args, wrapper, channels_last=last, **model)
        found.append(Candidate("ours", step, both, layout, watched=True))
    for name, norm in {"base step, BIN": "bin", "base step, batch norm": "batch norm"}.items():
        step = made(candidates.base_step, args, norm, wrapper, channels_last=True, **model)
        found.append(Candidate(name, step, one, "channels-last", watched=True))
    return found


def compiled(args: Namespace, wrapper: dict, toy: bool) -> Candidate:
    """Ours with a compiled backbone."""
    options = dict(channels_last=True, compile_backbone=True, **_model(toy))
    step = functools.partial(candidates.ours, args, wrapper, **options)
    return Candidate("ours, compiled", step, 2 * args.batch_size, "channels-last", watched=True)


def _model(toy: bool) -> dict[str, Any]:
    return dict(backbone=SMALL) if toy else {}


def measure(
    job: Job, dtype: str, candidate: Candidate, seen: dict[str, float], seconds: float = 3
) -> None:
    """Build a candidate, time it, add its row, and let it go."""
    what = f"{candidate.name}, {dtype}, {candidate.layout}"
    if not job.has_time(0.1 if job.toy else seconds, what):
        return
    job.device.release()
    with job.trying(what):
        _measure(job, dtype, candidate, seen)


def _measure(job: Job, dtype: str, candidate: Candidate, seen: dict[str, float]) -> None:
    held = job.device.held()
    torch.manual_seed(0)
    job.device.forget_compiled()
    step = candidate.build()
    step()
    step()  # has the optimiser's state
    peak = job.device.peak_of(step) - held
    least = 0.0 if job.toy else 0.2
    took = job.device.seconds({"step": step}, rounds=1 if job.toy else 5, least=least)["step"]
    name = candidate.name
    if name == "floor":
        seen[name] = min(took, seen.get(name, took))
    elif name == "published":
        seen[name] = took
    gain, over = (
        (seen["published"] / took if "published" in seen else None),
        (took / seen["floor"] if "floor" in seen else None),
    )
    ours = name.startswith("ours")
    waits: int | None = None
    if candidate.watched:
        waits, events = count_waits(job.device, step)
        places = places_of_waits(job.device, step)
        if ours and (events or places):
            where = f"; at {_listed(places)}" if places else ""
            label = f"{name}, {dtype}, {candidate.layout}"
            job.note(f"Waits of {label}: {_listed(events)}{where}.")
    rate = candidate.images / took
    if ours:
        job.shared["images per second"] = max(rate, job.shared.get("images per second", 0.0))
        job.shared["seconds per iteration"] = candidate.images / job.shared["images per second"]
    job.row(
        "Iterations",
        type=dtype,
        what=name,
        layout=candidate.layout,
        ms=1e3 * took,
        images_per_s=rate,
        published_by_this=gain,
        this_by_floor=over if ours or name == "published" else None,
        met=gain >= GOALS["published"] and over <= GOALS["floor"]
        if ours and gain is not None and over is not None
        else None,
        peak_GB=peak / 1e9,
        waits=waits,
    )


def _listed(counts: dict[str, int]) -> str:
    return ", ".join(f"{name} x {count}" for name, count in counts.items())
