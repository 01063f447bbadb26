"""XBM on a small problem in memory: float64 images, a real Runner, retrieval of unseen classes."""

from __future__ import annotations

from mmengine.hooks import Hook
from mmengine.runner import Runner

from mmreid_ext.registry import DATASETS

from .tiny_reid import TinyReID, tiny_model, tiny_runner

MEMORY_SIZE, FEAT_DIM = 40, 8


@DATASETS.register_module()
class TinySOP(TinyReID):
    """Images that are queries and gallery at once."""

    def __init__(self, **kwargs):
        super().__init__(num_images=3, **kwargs)
        self.metainfo = dict(test_sets=dict(sop=dict(protocol="sop")))

    def __getitem__(self, index):
        record = super().__getitem__(index)
        meta = dict(pid=int(self.pids[index]), camid=-1, role="query", dataset="sop")
        record["data_samples"].set_metainfo(meta | dict(sample_idx=index))
        return record


class RecordRates(Hook):
    """Keeps losses, learning rates and validation metrics."""

    def __init__(self):
        self.losses, self.rates, self.recalls = [], [], []

    def after_train_iter(self, runner, batch_idx, data_batch=None, outputs=None):
        self.losses.append([value for name, value in sorted(outputs.items()) if "loss" in name])
        self.rates.append(runner.optim_wrapper.get_lr()["lr"][0])

    def after_val_epoch(self, runner, metrics=None):
        self.recalls.append(metrics["sop/R1"])


def xbm_head(**memory) -> dict:
    loss = dict(type="mmreid_ext.ContrastiveLoss", margin=0.0)
    sizes = dict(memory_size=MEMORY_SIZE, feat_dim=FEAT_DIM, start_iter=1)
    return dict(
        type="mmreid_ext.EmbeddingHead",
        in_channels=16,
        embedding_dim=FEAT_DIM,
        embedding_init="kaiming_fan_out",
        losses=dict(
            xbm=dict(type="mmreid_ext.CrossBatchMemory", loss=loss, **(sizes | memory)),
        ),
    )


def xbm_runner(
    work_dir, batch_size: int = 16, max_iters: int = 6, dtype: str = "float64", **changes
) -> tuple[Runner, RecordRates]:
    """A Runner that validates every other iteration, and what it records."""

    def loader(dataset: str, sampler: dict, **settings) -> dict:
        return dict(
            num_workers=0,
            batch_size=batch_size,
            collate_fn=dict(type="default_collate"),
            dataset=dict(type=f"mmreid_ext.{dataset}", dtype=dtype),
            sampler=sampler,
            **settings,
        )

    sampler = dict(
        type="mmreid_ext.PKSampler",
        batch_size=batch_size,
        num_instances=2,
        strategy="remaining_weighted",
    )
    model = tiny_model(norm="mmreid_ext.SyncBN") | dict(
        head=xbm_head(), neck=dict(type="mmreid_ext.GlobalMaxPooling")
    )
    plateau = dict(
        type="ReduceOnPlateauLR", monitor="sop/R1", rule="greater", patience=0, threshold=0.5
    )
    settings = dict(
        model=model,
        train_dataloader=loader("TinyReID", sampler, drop_last=True),
        val_dataloader=loader("TinySOP", dict(type="DefaultSampler", shuffle=False)),
        val_evaluator=dict(type="mmreid_ext.ReIDMetric"),
        val_cfg=dict(),
        train_cfg=dict(type="mmreid_ext.ReIDTrainLoop", max_iters=max_iters, val_interval=2),
        optim_wrapper=dict(optimizer=dict(type="Adam", lr=1e-3, weight_decay=5e-4)),
        param_scheduler=[plateau],
    )
    runner = tiny_runner(work_dir, batch_size=batch_size, dtype=dtype, **(settings | changes))
    record = RecordRates()
    runner.register_hook(record, priority="LOWEST")
    return runner, record
