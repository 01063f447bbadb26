"""From JPEG files to augmented images on the device, with the loader of a configuration."""

from __future__ import annotations

import itertools
import time

import cv2
import metabin_candidates as candidates
from mmengine.config import Config
from mmengine.registry import DefaultScope
from mmengine.runner import Runner
from torch import nn
from torch.utils.data import DataLoader

from mmreid_ext.apis.inferencer import find_config
from mmreid_ext.config_files import read_config_file
from mmreid_ext.engine.settings.loader_settings import rank_settings
from mmreid_ext.registry import MODELS

from .device import cores
from .job import Job
from .pictures import DOMAINS, MARKET, market_root, synthetic_root

TITLE = "Loading"
ABOUT = (
    "The training loader of `configs/metabin_r50.py` and its network's data preprocessor: from "
    "JPEG files to normalised, augmented images of 256 x 128 on the device. The first batches, "
    "while workers start, aren't counted."
)
BATCH = 96
FIRST = 4
"""Batches that aren't timed; workers have then filled what they prefetch"""


def run(job: Job) -> None:
    """Measure with 1, 4, 8 and all cores' workers; then compare with the step."""
    cv2.setNumThreads(0)  # in workers, as in training
    cfg, source = configuration(job)
    best = 0.0
    with DefaultScope.overwrite_default_scope("mmpretrain"):
        candidates.register_all_modules(init_default_scope=False)
        cfg.model.backbone.init_cfg = None
        preprocessor = MODELS.build(cfg.model).data_preprocessor.to(job.device.name)
        counts = [1] if job.toy else sorted({1, 4, 8, cores()})
        for workers in counts:
            if not job.has_time(0.5 if job.toy else 6, f"{workers} workers"):
                break
            with job.trying(f"{workers} workers"):
                rate = rate_of(job, cfg, preprocessor, workers)
                best = max(best, rate)
                job.row("Loader", pictures=source, workers=workers, images_per_s=rate)
    say_whether_it_feeds(job, best)


def configuration(job: Job) -> tuple[Config, str]:
    """Return the configuration, on Market-1501 if it is there, and a name of the pictures."""
    cfg = read_config_file(find_config("metabin_r50"))
    root = market_root()
    if root is not None and not job.toy:
        cfg.train_dataloader.dataset.data_root = str(root)
        return cfg, MARKET
    sources = [dict(type="mmreid_ext.SyntheticReID", domain=d) for d in range(DOMAINS - 1)]
    root = synthetic_root(job)
    before = cfg.train_dataloader.dataset
    kept = {key: before[key] for key in before if key not in ("type", "mode", "domain_from")}
    cfg.train_dataloader.dataset = dict(
        type="mmreid_ext.MultiSourceDataset",
        sources=[dict(source, data_root=str(root)) for source in sources],
        **kept,
    )
    return cfg, "synthetic, 128 x 64"


def rate_of(job: Job, cfg: Config, preprocessor: nn.Module, workers: int) -> float:
    """Return images per second with so many workers."""
    batch = 16 if job.toy else BATCH
    loader = build_loader(cfg, batch, workers)
    batches = _endless(loader)
    for _ in range(1 if job.toy else FIRST):
        preprocessor(next(batches), training=True)
    job.device.synchronize()
    seconds = 0.2 if job.toy else min(5.0, job.left() / 4)
    count, start = 0, time.perf_counter()
    while count < 2 or time.perf_counter() - start < seconds:
        preprocessor(next(batches), training=True)
        count += 1
    job.device.synchronize()
    took = time.perf_counter() - start
    loader._iterator = None  # ends the workers
    return count * batch / took


def build_loader(cfg: Config, batch: int, workers: int) -> DataLoader:
    """Build the loader as a training on one rank does."""
    settings = dict(cfg.train_dataloader, batch_size=batch, num_workers=workers)
    settings = rank_settings(settings, True, 1, "train_dataloader")
    return Runner.build_dataloader(settings, seed=0)


def _endless(loader: DataLoader):
    return itertools.chain.from_iterable(itertools.repeat(loader))


def say_whether_it_feeds(job: Job, best: float) -> None:
    """Compare the fastest loader with the fastest step of this run."""
    wanted = job.shared.get("images per second")
    if wanted is None:
        job.note("Whether this feeds a step isn't known: the part `step` did not run before it.")
        return
    feeds = "feeds" if best >= wanted else "does not feed"
    job.note(
        f"The loader {feeds} the step: it gives {best:,.0f} images/s at most, and the fastest "
        f"iteration above takes {wanted:,.0f}."
    )
