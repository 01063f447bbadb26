"""Say how a file is given to a tracker: the command, the lines of Python, and a warning."""

from __future__ import annotations

from pathlib import Path

from .cost import ViewCost
from .table import TRACKERS

_USE = {
    "boxmot": """\
boxmot track --reid {file} --tracker botsort --detector DETECTOR --source VIDEO
or in Python:
from boxmot import BotSort
tracker = BotSort(reid_weights="{file}", device="cpu")  # or DeepOcSort, StrongSort, ...""",
    "ultralytics": """\
in a copy of its botsort.yaml, called reid.yaml here, set
    with_reid: True
    model: {file}
yolo track model=yolo26n.pt source=VIDEO tracker=reid.yaml""",
    "strongsort": """\
import logging, pathlib, torch
from strongsort import StrongSORT, reid_multibackend
reid_multibackend.LOGGER = logging.getLogger("strongsort")  # 0.2.1 uses it and never defines it
tracker = StrongSORT(pathlib.Path("{file}"), torch.device("cpu"), fp16=False)
tracker.update(detections, frame)  # the frame as OpenCV reads it: BGR""",
    "deepsort": """\
from deep_sort_realtime.deepsort_tracker import DeepSort
from mmreid_ext.deploy import Embedder
embedder, tracker = Embedder("{file}"), DeepSort(embedder=None)
# detections: a list of ([left, top, width, height], confidence, class), all inside the frame
boxes = [(x, y, x + w, y + h) for (x, y, w, h), _, _ in detections]
tracker.update_tracks(detections, embeds=list(embedder(frame, boxes)))""",
}

_WARNINGS = {
    "boxmot": "Keep BoxMOT in an environment of its own: it installs packages while it runs.",
    "strongsort": "strongsort 0.2.1 asks for torch 1.13 and needs the package yolov5: give it an "
    "environment of its own.",
}


def how_to_use(tracker: str, file: Path, cost: ViewCost | None) -> list[str]:
    """Return the lines that say how a tracker gets a file.

    Args:
        tracker: A name of :data:`.table.TRACKERS`.
        file: The exported model.
        cost: What the tracker's cut and resize change; None: nothing, or not measured.
    """
    needs = TRACKERS[tracker]
    lines = [f"Give it to {needs.title} (tried with {needs.package}):"]
    lines += [f"    {line}" for line in _USE[tracker].format(file=file).splitlines()]
    if tracker in _WARNINGS:
        lines.append(_WARNINGS[tracker])
    if not needs.cuts:
        lines.append(f"Embedder cuts and resizes, {needs.title} does not: nothing is lost.")
    elif cost is not None:
        cut = "cut (boxes made larger) and resize" if needs.enlarges[1] else "resize"
        lines.append(f"Its {cut} against ours: {cost.text}.")
    return lines
