"""The smallest run of both training loops: a linear layer, twelve pictures, a metric by heart."""

from __future__ import annotations

from itertools import count

import numpy as np
import torch
from mmengine.evaluator import BaseMetric
from mmengine.hooks import Hook
from mmengine.logging import MessageHub
from mmengine.model import BaseModel
from mmengine.runner import Runner
from torch import nn
from torch.utils.data import Dataset

from mmreid_ext.registry import DATASETS, METRICS

ITERS_PER_EPOCH, EPOCHS, ITERS = 3, 2, 5
_RUNS = count()


@DATASETS.register_module()
class TwelvePictures(Dataset):
    """Six identities of two pictures each."""

    def __init__(self, first_pid=0):
        self.pids = np.arange(6).repeat(2) + first_pid
        self.metainfo = {}
        self.images = torch.randn(12, 4, generator=torch.Generator().manual_seed(0))

    def __len__(self):
        return len(self.pids)

    def __getitem__(self, index):
        return dict(inputs=self.images[int(index)], pid=int(self.pids[index]))


@METRICS.register_module()
class ScoreByHeart(BaseMetric):
    """Rises and falls with the iteration, so that some validations give a new best."""

    SCORES = (0.0, 2.0, 1.0, 3.0, 3.0, 2.0, 2.0, 4.0, 1.0, 5.0)

    def process(self, data_batch, data_samples):
        self.results.append(0)

    def compute_metrics(self, results):
        iteration = MessageHub.get_current_instance().get_info("iter")  # of the last step, 0-based
        return dict(score=self.SCORES[(iteration + 1) % len(self.SCORES)])


class TinyNet(BaseModel):
    def __init__(self):
        super().__init__()
        self.layer, self.norm = nn.Linear(4, 3), nn.BatchNorm1d(3)

    def forward(self, inputs, pid=None, mode="tensor"):
        feats = self.norm(self.layer(inputs))
        return dict(loss=feats.square().mean() + feats.mean()) if mode == "loss" else list(feats)


class Interrupted(Exception):
    pass


class StopAfter(Hook):
    """Ends the run after an iteration, when everything else of that iteration is done."""

    priority = "LOWEST"

    def __init__(self, iteration):
        self.iteration = iteration

    def after_train_iter(self, runner, batch_idx, data_batch=None, outputs=None):
        if runner.iter + 1 == self.iteration:
            raise Interrupted


def make_runner(folder, epochs=False, plateau=False, save_best=False, by_epoch=False, **changes):
    """A Runner with checkpoints at every iteration or epoch, validated now and then."""
    loader = dict(
        batch_size=4,
        num_workers=0,
        collate_fn=dict(type="default_collate"),
        dataset=dict(type="mmreid_ext.TwelvePictures"),
    )
    schedules = [dict(type="LinearLR", by_epoch=epochs, start_factor=0.1, begin=0, end=3)]
    if plateau:
        reads = dict(type="ReduceOnPlateauLR", monitor="score", rule="greater", patience=0)
        schedules.append(dict(reads, factor=0.5))
    if epochs:
        loop = dict(type="mmreid_ext.ReIDEpochTrainLoop", max_epochs=EPOCHS, val_interval=1)
    else:
        loop = dict(type="mmreid_ext.ReIDTrainLoop", max_iters=ITERS, val_interval=2)
    checkpoint = dict(type="CheckpointHook", by_epoch=by_epoch, interval=1)
    if save_best:
        checkpoint |= dict(save_best="score", rule="greater")
    train_sampler = dict(type="mmreid_ext.PKSampler", num_instances=2)
    settings = dict(
        work_dir=str(folder),
        default_scope="mmengine",
        experiment_name=f"loops{next(_RUNS)}",
        train_dataloader=dict(
            loader, drop_last=True, sampler=dict(train_sampler, strategy="exhaustive_drop")
        ),
        train_cfg=loop,
        val_dataloader=dict(loader, sampler=dict(type="DefaultSampler", shuffle=False)),
        val_cfg=dict(type="ValLoop"),
        val_evaluator=dict(type="mmreid_ext.ScoreByHeart"),
        optim_wrapper=dict(optimizer=dict(type="Adam", lr=0.01)),
        param_scheduler=schedules,
        default_hooks=dict(checkpoint=checkpoint),
        randomness=dict(seed=3),
        log_level="ERROR",
    )
    torch.manual_seed(0)
    settings |= changes
    settings.setdefault("model", TinyNet())
    return Runner(**settings)
