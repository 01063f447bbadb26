"""A small re-ID problem in memory: float64 images, a narrow ResNet, a real Runner."""

from __future__ import annotations

from itertools import count

import numpy as np
import torch
from mmengine.runner import Runner
from mmpretrain.structures import DataSample
from torch.utils.data import Dataset

from mmreid_ext.models import ReIDModel  # noqa: F401 (registers what the configuration names)
from mmreid_ext.registry import DATASETS, MODELS

LOSSES = dict(
    ce=dict(type="mmreid_ext.LabelSmoothingLoss"),
    triplet=dict(type="mmreid_ext.BatchHardTripletLoss", margin=0.3),
    scatter=dict(type="mmreid_ext.DomainScatterLoss"),
    shuffle=dict(type="mmreid_ext.DomainShuffleLoss"),
)


# MMEngine keeps loggers and histories by the name of the experiment.
_RUNS = count()


@DATASETS.register_module()
class TinyReID(Dataset):
    """Random images: ``num_ids`` identities per domain, each seen ``num_images`` times there."""

    def __init__(self, num_domains=4, num_ids=4, num_images=4, size=(16, 8), dtype="float64"):
        self.pids = np.arange(num_domains * num_ids).repeat(num_images)
        self.domains = self.pids // num_ids
        self.camids = self.domains
        self.num_classes, self.num_domains = num_domains * num_ids, num_domains
        self.metainfo = {}
        generator = torch.Generator().manual_seed(0)
        self.images = torch.randn(
            len(self.pids), 3, *size, generator=generator, dtype=getattr(torch, dtype)
        )
        self.images += torch.as_tensor(self.domains)[:, None, None, None] * 0.3

    def __len__(self):
        return len(self.pids)

    def __getitem__(self, index):
        sample = DataSample().set_gt_label(int(self.pids[index]))
        sample.set_field(int(self.domains[index]), "domain", field_type="metainfo")
        return dict(inputs=self.images[index], data_samples=sample)


def tiny_model(
    norm: str = "mmreid_ext.BIN",
    num_classes: int = 16,
    losses: dict | None = None,
    stages: int = 2,
) -> dict:
    return dict(
        type="mmreid_ext.ReIDModel",
        data_preprocessor=dict(type="mmengine.BaseDataPreprocessor"),
        backbone=dict(
            type="mmpretrain.ResNet",
            depth=18,
            stem_channels=4,
            base_channels=8,
            num_stages=stages,
            strides=(1, 2)[-stages:],
            dilations=(1,) * stages,
            out_indices=(stages - 1,),
            norm_cfg=dict(type=norm),
        ),
        head=dict(
            type="mmreid_ext.BNNeckHead",
            num_classes=num_classes,
            in_channels=8 * 2 ** (stages - 1),
            losses=losses or LOSSES,
            train_losses=("ce", "triplet"),
            classifier_init="uniform",
        ),
    )


def tiny_runner(
    work_dir,
    batch_size: int = 32,
    max_iters: int = 3,
    dtype="float64",
    dataset: str = "mmreid_ext.TinyReID",
    num_workers: int = 0,
    loop: dict | None = None,
    **changes,
) -> Runner:
    """A Runner of MetaBIN on :class:`TinyReID`.

    ``batch_size`` is per rank; ``loop`` overrides settings of the loop, ``changes`` the Runner's.
    """

    def loader(sampler: str, **dataset) -> dict:
        return dict(
            batch_size=batch_size,
            num_workers=num_workers,
            drop_last=True,
            collate_fn=dict(type="default_collate"),
            sampler=dict(type=f"mmreid_ext.{sampler}", batch_size=batch_size, num_instances=2),
            **dataset,
        )

    settings = dict(
        work_dir=str(work_dir),
        default_scope="mmpretrain",
        experiment_name=f"tiny{next(_RUNS)}",
        model=tiny_model(),
        train_dataloader=loader("PKSampler", dataset=dict(type=dataset, dtype=dtype)),
        train_cfg=dict(
            type="mmreid_ext.MetaBINTrainLoop",
            max_iters=max_iters,
            meta_dataloader=loader("DomainPKSampler"),
            first_base_steps=2,
            inner_ratio=dict(low=0.05, high=0.1, period=4),
        )
        | (loop or {}),
        optim_wrapper=dict(
            optimizer=dict(type="SGD", lr=0.01, momentum=0.9, weight_decay=5e-4),
            constructor="mmreid_ext.ReIDOptimWrapperConstructor",
            paramwise_cfg=dict(bias_lr_mult=2.0),
        ),
        default_hooks=dict(checkpoint=dict(type="CheckpointHook", by_epoch=False, interval=1000)),
        randomness=dict(seed=3),
        log_level="WARNING",
        cfg=dict(
            model_wrapper_cfg=dict(
                type="mmengine.MMDistributedDataParallel", device_ids=None, broadcast_buffers=False
            )
        ),
    )
    torch.manual_seed(0)
    settings |= changes
    # Converted before the Runner wraps it: DistributedDataParallel lays out its buckets by dtype.
    settings["model"] = MODELS.build(settings["model"]).to(getattr(torch, dtype))
    return Runner(**settings)


@DATASETS.register_module()
class TinyReID5(TinyReID):
    """The same with five identities per domain."""

    def __init__(self, **kwargs):
        super().__init__(num_ids=5, **kwargs)
