"""A short training from scratch, and what it reaches: everything at once, as a user runs it."""

from __future__ import annotations

import json
import os
import runpy
import shutil
import sys
import time
from pathlib import Path

from .job import Job
from .pictures import MARKET, ROOT, ToolError, market_root, synthetic_root, synthetic_settings

TITLE = "Training"
ABOUT = (
    "`tools/train.py` from random weights, for the time that was left, with its schedule shortened "
    "in proportion. It shows that everything works together; the scores are those of a training "
    "that is far too short."
)
LONGEST = 3000
START, SHARE = 25, 0.6
"""Seconds until the first iteration and for validation; share of the rest that is planned for"""
GUESS = 0.15
"""Seconds of an iteration on synthetic people"""


def run(job: Job) -> None:
    """Train on Market-1501 if it is there, else on synthetic people."""
    market = None if job.toy else market_root()
    root = market or synthetic_root(job)
    config, settings = (of_market if market else of_synthetic)(job)
    per_iteration = job.shared.get("seconds per iteration", 0.5) if market else GUESS
    length = 2 if job.toy else int(SHARE * max(0, job.left() - START) / per_iteration)
    length = min(LONGEST, length)
    if length < 20 and not job.toy:
        job.skip(f"{job.left():.0f} s were left, which is no time for a training.")
        return
    folder = job.folder / "training"
    shutil.rmtree(folder, ignore_errors=True)
    before, start = dict(os.environ), time.perf_counter()
    os.environ["MMREID_DATA_ROOT"] = str(root)
    try:
        train(config, length, folder, settings, job.device.is_cuda)
    finally:
        os.environ.clear()
        os.environ.update(before)
    took = time.perf_counter() - start
    for name, scores in scores_in(folder).items():
        job.row(
            "Scores",
            trained_on=MARKET if market else "synthetic, 4 domains",
            tested_on=name,
            configuration=config,
            iterations=length,
            s_in_all=took,
            R1=scores.get("R1"),
            mAP=scores.get("mAP"),
        )
    shutil.rmtree(folder, ignore_errors=True)


def of_market(job: Job) -> tuple[str, list[str]]:
    """MetaBIN as published, but from scratch, and tested on Market-1501 alone."""
    return "metabin_r50.py", [
        "model.backbone.init_cfg=None",
        "val_dataloader.dataset.sources=[dict(type='mmreid_ext.Market1501')]",
        "train_cfg.val_interval=8700",
    ]


def of_synthetic(job: Job) -> tuple[str, list[str]]:
    """MetaBIN on four synthetic domains, tested on the fifth."""
    settings = [*synthetic_settings(job), "train_cfg.val_interval=150"]
    return "metabin_r18_synthetic.py", settings


def train(config: str, length: int, folder: Path, settings: list[str], fast: bool) -> None:
    """Call the tool in this process.

    Raises:
        ToolError: If it ends with an error.
    """
    words = [ROOT / "tools" / "train.py", ROOT / "configs" / config, "--iters", length]
    words += ["--work-dir", folder, *(["--amp", "--channels-last"] if fast else [])]
    arguments = [*map(str, words), "--cfg-options", *settings]
    before, sys.argv = sys.argv, arguments
    try:
        runpy.run_path(arguments[0], run_name="__main__")
    except SystemExit as ended:
        if ended.code not in (None, 0):
            raise ToolError(f"tools/train.py: {ended.code}") from None
    finally:
        sys.argv = before


def scores_in(folder: Path) -> dict[str, dict[str, float]]:
    """Read the last scores of each test set from a run's log, as fractions of 100."""
    found: dict[str, dict[str, float]] = {}
    for path in sorted(folder.glob("*/vis_data/scalars.json")):
        for line in path.read_text().splitlines():
            for key, value in json.loads(line).items():
                name, _, score = key.rpartition("/")
                if score in ("R1", "mAP"):
                    found.setdefault(name, {})[score] = value
    return found
