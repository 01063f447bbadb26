"""A configuration file of a run that takes a second: a CSV list of small pictures."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np

TEXT = """
default_scope = "mmpretrain"
custom_imports = dict(imports=["mmreid_ext"], allow_failed_imports=False)
model = dict(
    type="mmreid_ext.ReIDModel",
    backbone=dict(
        type="ResNet", depth=18, stem_channels=4, base_channels=4, num_stages=1, strides=(1,),
        dilations=(1,), out_indices=(0,), norm_cfg=dict(type="mmreid_ext.SyncBN"),
    ),
    head=dict(
        type="mmreid_ext.BNNeckHead", num_classes=2, in_channels=4,
        losses=dict(ce=dict(type="mmreid_ext.LabelSmoothingLoss")),
    ),
)
pipeline = [
    dict(type="LoadImageFromFile"),
    dict(type="Resize", scale=(8, 16)),
    dict(type="mmreid_ext.PackReIDInputs"),
]
dataset = dict(
    type="mmreid_ext.CSVDataset", csv_file="list.csv", data_root=ROOT, name="tiny",
    pipeline=pipeline,
)
train_dataloader = dict(
    batch_size=4, num_workers=0, persistent_workers=True,
    collate_fn=dict(type="mmreid_ext.reid_collate"), dataset=dict(dataset, mode="train"),
    sampler=dict(type="mmreid_ext.PKSampler", num_instances=2),
)
val_dataloader = dict(
    batch_size=8, num_workers=0, persistent_workers=True,
    collate_fn=dict(type="mmreid_ext.reid_collate"), dataset=dict(dataset, mode="test"),
    sampler=dict(type="DefaultSampler", shuffle=False),
)
test_dataloader = val_dataloader
val_evaluator = dict(type="mmreid_ext.ReIDMetric")
test_evaluator = val_evaluator
val_cfg = dict(type="ValLoop")
test_cfg = dict(type="TestLoop")
train_cfg = dict(type="mmreid_ext.ReIDTrainLoop", max_iters=2, val_interval=2)
optim_wrapper = dict(optimizer=dict(type="SGD", lr=0.01, momentum=0.9))
param_scheduler = [dict(type="MultiStepLR", by_epoch=False, milestones=[1])]
default_hooks = dict(
    logger=dict(type="LoggerHook"),
    checkpoint=dict(type="CheckpointHook", by_epoch=False, interval=2),
)
log_processor = dict(by_epoch=False)
env_cfg = dict(dist_cfg=dict(backend="nccl"))
visualizer = dict(type="UniversalVisualizer", vis_backends=[dict(type="LocalVisBackend")])
randomness = dict(seed=0)
log_level = "ERROR"
"""


def write_tiny_config(folder: Path, extra: str = "") -> Path:
    """Write pictures, their list and a configuration into ``folder``; return the latter."""
    lines = ["path,pid,camid,split"]
    for index in range(16):
        pixels = np.random.default_rng(index).integers(0, 256, (16, 8, 3), dtype=np.uint8)
        cv2.imwrite(str(folder / f"{index}.png"), pixels)
        role = "train" if index < 8 else ("query", "gallery")[index % 2]
        lines.append(f"{index}.png,{index // 4},{index % 2},{role}")
    (folder / "list.csv").write_text("\n".join(lines) + "\n")
    path = folder / "tiny.py"
    path.write_text(TEXT.replace("ROOT", repr(str(folder))) + extra)
    return path
