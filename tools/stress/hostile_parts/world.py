"""A small world to attack: a data set, a run with its files, and things not to be touched."""

from __future__ import annotations

import os
import shutil
import tempfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image

CONFIG = """
default_scope = "mmpretrain"
custom_imports = dict(imports=["mmreid_ext"], allow_failed_imports=False)
model = dict(
    type="mmreid_ext.ReIDModel",
    data_preprocessor=dict(
        type="ClsDataPreprocessor", mean=[123.7, 116.3, 103.5], std=[58.4, 57.1, 57.4], to_rgb=True,
    ),
    backbone=dict(
        type="ResNet", depth=18, stem_channels=4, base_channels=4, num_stages=1, strides=(1,),
        dilations=(1,), out_indices=(0,), norm_cfg=dict(type="mmreid_ext.SyncBN"),
    ),
    head=dict(
        type="mmreid_ext.BNNeckHead", num_classes=2, in_channels=4,
        losses=dict(ce=dict(type="mmreid_ext.LabelSmoothingLoss")),
    ),
)
pipeline = [dict(type="Resize", scale=(8, 16)), dict(type="mmreid_ext.PackReIDInputs")]
dataset = dict(
    type="mmreid_ext.CSVDataset", csv_file="LIST", data_root="ROOT", name="tiny", pipeline=pipeline,
)
train_dataloader = dict(
    batch_size=4, num_workers=0, collate_fn=dict(type="mmreid_ext.reid_collate"),
    dataset=dict(dataset, mode="train"),
    sampler=dict(type="mmreid_ext.PKSampler", num_instances=2),
)
val_dataloader = dict(
    batch_size=8, num_workers=0, collate_fn=dict(type="mmreid_ext.reid_collate"),
    dataset=dict(dataset, mode="test"), sampler=dict(type="DefaultSampler", shuffle=False),
)
test_dataloader = val_dataloader
val_evaluator = dict(type="mmreid_ext.ReIDMetric")
test_evaluator = val_evaluator
val_cfg = dict(type="ValLoop")
test_cfg = dict(type="TestLoop")
train_cfg = dict(type="mmreid_ext.ReIDTrainLoop", max_iters=3, val_interval=1)
optim_wrapper = dict(optimizer=dict(type="SGD", lr=0.01, momentum=0.9))
param_scheduler = [dict(type="MultiStepLR", by_epoch=False, milestones=[1])]
default_hooks = dict(
    deployment_info=dict(type="mmreid_ext.DeploymentInfoHook"),
    checkpoint=dict(type="CheckpointHook", by_epoch=False, interval=1, save_best="auto"),
)
log_processor = dict(by_epoch=False)
env_cfg = dict(dist_cfg=dict(backend="gloo"))
visualizer = dict(type="UniversalVisualizer", vis_backends=[dict(type="LocalVisBackend")])
randomness = dict(seed=0)
"""

WRITABLE = ("work", "logs", "home", "tmp")
"""Folders of the world in which programs may write."""


@dataclass(frozen=True)
class World:
    """Where everything is.

    Attributes:
        root: Folder of all.
        tools: Folder of the tools.
    """

    root: Path
    tools: Path

    def __getattr__(self, name: str) -> Path:
        """A folder of the world by its name."""
        if name.startswith("_"):
            raise AttributeError(name)
        return self.root / name

    @property
    def config(self) -> Path:
        """The configuration of the run."""
        return self.data / "tiny.py"

    @property
    def canary(self) -> Path:
        """The file that hostile code writes."""
        return self.outside / "EXECUTED"

    def refresh(self) -> None:
        """Empty the work folder and what was attacked before."""
        for folder in (self.work, self.attack, self.tmp):
            shutil.rmtree(folder, ignore_errors=True)
            folder.mkdir()
        self.canary.unlink(missing_ok=True)


def make_world(root: Path, tools: Path) -> World:
    """Write the folders, the pictures, their list and the configuration."""
    world = World(root, tools)
    for name in ("data", "outside", "base", "cwd", "attack", *WRITABLE):
        (root / name).mkdir()
    (world.outside / "folder").mkdir()
    for name in ("victim.txt", "best_tiny_mAP_iter_2.pth", "folder/file", "iter_1.pth"):
        (world.outside / name).write_text("not yours\n")
    lines = ["path,pid,camid,split"]
    for number in range(16):
        pixels = np.random.default_rng(number).integers(0, 256, (16, 8, 3), dtype=np.uint8)
        Image.fromarray(pixels).save(world.data / f"{number}.png")
        role = "train" if number < 8 else ("query", "gallery")[number % 2]
        lines.append(f"{number}.png,{number // 4},{number % 2},{role}")
    (world.data / "list.csv").write_text("\n".join(lines) + "\n")
    text = CONFIG.replace("LIST", "list.csv").replace("ROOT", str(world.data))
    world.config.write_text(text)
    os.environ.update(HOME=str(world.home), TMPDIR=str(world.tmp), OMP_NUM_THREADS="1")
    tempfile.tempdir = None  # which Python remembers
    return world
