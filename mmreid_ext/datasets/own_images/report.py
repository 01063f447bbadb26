"""Say what was found and made, and what comes next."""

from __future__ import annotations

import os
import shlex
from collections import Counter
from statistics import median

from .plan import MODELS
from .prepare import Prepared
from .splitting import group_people
from .written_files import ANNOTATIONS, CONFIG

_WIDTH = 12  # of the names on the left, as on the screen of a training
_MINUTE, _HOUR = 60, 3600


def report(prepared: Prepared, on_gpu: bool, tools: str = "tools") -> str:
    """Return the lines that the user reads.

    Args:
        prepared: What was made.
        on_gpu: Whether the training will run on a GPU.
        tools: Folder of the commands.
    """
    lines = [("pictures", prepared.found.taken_for)]
    lines += [("", text) for text in prepared.found.left_out_text()]
    lines += [("people", _people(prepared)), ("cameras", _cameras(prepared))]
    lines += [("sizes", _sizes(prepared)), ("train", _role(prepared, "train"))]
    lines += [("test", _test(prepared))]
    lines += [("note", text) for text in [*prepared.found.notes, *_remarks(prepared)]]
    lines += [("training", _training(prepared, on_gpu))]
    folder = prepared.folder
    lines += [("written", f"{folder / ANNOTATIONS}, {folder / CONFIG}")]
    command = ["python", f"{tools}/train.py", str(folder / CONFIG)]
    lines += [("next", shlex.join(command))]
    return "\n".join(f"{name:<{_WIDTH}}{text}".rstrip() for name, text in _once_named(lines))


def _once_named(lines: list[tuple[str, str]]) -> list[tuple[str, str]]:
    """Write a name that comes twice in a row once."""
    before = ["", *(name for name, _ in lines)]
    return [
        (name * (name != last), text) for last, (name, text) in zip(before, lines, strict=False)
    ]


def _people(prepared: Prepared) -> str:
    counts = sorted(len(group) for group in group_people(prepared.images).values())
    each = f"{counts[0]}" if counts[0] == counts[-1] else f"{counts[0]} to {counts[-1]}"
    middle = "" if counts[0] == counts[-1] else f", mostly {median(counts):g}"
    return f"{len(counts)}, {sum(counts)} pictures; {each} of each{middle}"


def _cameras(prepared: Prepared) -> str:
    counts = Counter(image.camera for image in prepared.images)
    unknown = counts.pop("", 0)
    if not counts:
        return "not known; a query may match pictures of its own camera, so scores are higher"
    text = f"{len(counts)}, {min(counts.values())} to {max(counts.values())} pictures each"
    return f"{text}; of {unknown} pictures not known" if unknown else text


def _sizes(prepared: Prepared) -> str:
    widths, heights = zip(*prepared.sizes, strict=True)
    middle = f"{median(widths):g} x {median(heights):g}"
    if len(set(prepared.sizes)) == 1:
        return f"all {middle} pixels (width x height)"
    smallest, largest = (f"{f(widths)} x {f(heights)}" for f in (min, max))
    return f"mostly {middle} pixels (width x height), from {smallest} to {largest}"


def _role(prepared: Prepared, *roles: str) -> str:
    part = [image for image in prepared.images if image.split in roles]
    return f"{len(group_people(part))} people, {len(part)} pictures"


def _test(prepared: Prepared) -> str:
    counts = Counter(image.split for image in prepared.images)
    if not counts["query"]:
        return "nobody; the training is not evaluated"
    rule = "in another camera" if prepared.protocol is None else "in any other picture"
    return (
        f"{_role(prepared, 'query', 'gallery')}: {counts['query']} ask, {counts['gallery']} are "
        f"searched; a person is to be found {rule}"
    )


def _remarks(prepared: Prepared) -> list[str]:
    groups = group_people(prepared.images)
    single = [name for name, group in groups.items() if len(group) == 1]
    remarks = []
    if single:
        remarks.append(f"People with one picture ({len(single)}) are trained on, never tested on.")
    if prepared.protocol and any(image.camera for image in prepared.images):
        remarks.append("Too few people were seen by two cameras: the test doesn't ask for that.")
    if prepared.found.is_track:
        remarks.append(
            "Queries and gallery come from the same tracks, "
            "so scores are higher than between cameras."
        )
    widths, heights = zip(*prepared.sizes, strict=True)
    if median(widths) > median(heights):
        remarks.append(
            "Most pictures are wider than high: the models expect one upright person who fills the "
            "picture."
        )
    return remarks


def _training(prepared: Prepared, on_gpu: bool) -> str:
    plan = prepared.plan
    start = "from scratch" if plan.from_scratch else "from ImageNet weights"
    cores = os.cpu_count() or 1
    took = f"very roughly {_duration(plan.cpu_seconds(cores))} on {cores} CPU cores"
    took += ", less on this GPU" * on_gpu
    return (
        f"{MODELS[plan.model].title}, {start}; {plan.iterations} iterations of {plan.batch_size} "
        f"pictures ({plan.people_per_batch} people x {plan.num_instances}), {took}"
    )


def _duration(seconds: float) -> str:
    if seconds < 1.5 * _MINUTE:  # rounds to one
        return "a minute"
    if seconds < _HOUR:
        return f"{seconds / _MINUTE:.0f} minutes"
    return f"{seconds / _HOUR:.0f} hours" if seconds >= 2 * _HOUR else "an hour or two"
