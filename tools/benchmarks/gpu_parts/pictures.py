"""Pictures that several parts read, and how they call our own tools on them."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import cv2

from mmreid_ext.datasets.synthetic import make_synthetic_domains
from mmreid_ext.shorten import one_line

from .job import Job, OutOfTimeError

ROOT = Path(__file__).resolve().parents[3]
DOMAINS = 5  # configurations of synthetic people train on all but the last
MARKET = "Market-1501-v15.09.15"


def identities(job: Job) -> int:
    """People of a synthetic domain; half of them train."""
    return 4 if job.toy else 24


def classes(job: Job) -> int:
    """People of the training images of all synthetic domains."""
    return (DOMAINS - 1) * identities(job) // 2


def synthetic_settings(job: Job) -> list[str]:
    """What makes ``metabin_r18_synthetic.py`` fit these people; a trial's network is narrow."""
    batch = 32 if job.toy else 64
    settings = [
        f"model.head.num_classes={classes(job)}",
        f"train_dataloader.batch_size={batch}",
        f"train_cfg.meta_dataloader.batch_size={batch}",
        "train_cfg.first_base_steps=2",
    ]
    narrow = ["model.backbone.stem_channels=8", "model.backbone.base_channels=8"]
    return settings + ([*narrow, "model.head.in_channels=64"] if job.toy else [])


def synthetic_root(job: Job) -> Path:
    """Draw synthetic people, unless they are there; return the folder of data sets."""
    root = job.folder / "data" / f"{identities(job)}_people"
    cv2.setNumThreads(1)
    make_synthetic_domains(
        root / "synthetic", DOMAINS, identities(job), num_cameras=2 if job.toy else 4
    )
    return root


def market_root() -> Path | None:
    """Return the folder of data sets if Market-1501 is in it."""
    root = Path(os.environ.get("MMREID_DATA_ROOT", "data"))
    return root if (root / MARKET / "bounding_box_train").is_dir() else None


class ToolError(RuntimeError):
    """A tool of ours that the suite called has failed."""


def call_train(job: Job, data_root: Path, *arguments: object) -> None:
    """Run ``tools/train.py`` in a process of its own, for as long as this part lasts.

    Raises:
        ToolError: If it fails; with its last line.
        OutOfTimeError: If it takes too long.
    """
    command = [sys.executable, str(ROOT / "tools" / "train.py"), *map(str, arguments)]
    environment = {**os.environ, "MMREID_DATA_ROOT": str(data_root)}
    paths = [str(ROOT), *filter(None, [environment.get("PYTHONPATH")])]
    environment["PYTHONPATH"] = os.pathsep.join(paths)
    try:
        ended = subprocess.run(
            command,
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=max(1, job.left() - 2),
        )
    except subprocess.TimeoutExpired:
        raise OutOfTimeError("tools/train.py had not ended when its time was up") from None
    if ended.returncode:
        lines = [line for line in ended.stdout.splitlines() if line.strip()]
        what = [line for line in lines if "rror" in line] or lines or ["it wrote nothing"]
        raise ToolError(f"tools/train.py ended with {ended.returncode}: {one_line(what[-1], 300)}")
