"""Runs that were interrupted, and settings with which they are resumed."""

from helpers.tiny_loops import ITERS, TinyNet, make_runner
from torch import nn

AT = 3


def resume(tmp_path, file, **settings):
    runner = make_runner(tmp_path, resume=True, load_from=str(file), **settings)
    runner.train()
    return runner


def adam(**settings):
    return dict(optim_wrapper=dict(optimizer=dict(type="Adam", lr=0.01) | settings))


def linear(**settings):
    schedule = dict(type="LinearLR", by_epoch=False, start_factor=0.1, begin=0, end=3)
    return dict(param_scheduler=[schedule | settings])


def loader(batch_size=4, dataset=None, **sampler):
    sampler = dict(dict(num_instances=2, strategy="exhaustive_drop"), **sampler)
    return dict(
        train_dataloader=dict(
            batch_size=batch_size,
            num_workers=0,
            drop_last=True,
            collate_fn=dict(type="default_collate"),
            dataset=dict(type="mmreid_ext.TwelvePictures", **(dataset or {})),
            sampler=dict(type="mmreid_ext.PKSampler", **sampler),
        )
    )


def mmengine_loader():
    settings = loader()
    settings["train_dataloader"]["sampler"]["batch_size"] = 4
    return settings


class OtherNet(TinyNet):
    def __init__(self):
        super().__init__()
        self.more = nn.Linear(3, 3)


CHANGES = {
    "SGD for Adam": (dict(optim_wrapper=dict(optimizer=dict(type="SGD", lr=0.01))), "was Adam, is"),
    "AdamW for Adam": (adam(type="AdamW"), "optimizer.type was Adam, is AdamW"),
    "learning rate": (adam(lr=0.02), r"optimizer\.lr was 0.01, is 0.02"),
    "decay": (adam(weight_decay=0.1), r"optimizer\.weight_decay was 0, is 0.1"),
    "momenta": (adam(betas=(0.8, 0.999)), r"optimizer\.betas\.0 was 0.9, is 0.8"),
    "precision": (
        dict(
            optim_wrapper=dict(
                type="mmreid_ext.BFloat16OptimWrapper", optimizer=dict(type="Adam", lr=0.01)
            )
        ),
        "optim_wrapper.type was OptimWrapper, is BFloat16",
    ),
    "clipping": (
        dict(
            optim_wrapper=dict(
                optimizer=dict(type="Adam", lr=0.01), clip_grad=dict(max_norm=1.0)
            )
        ),
        "clip_grad.max_norm was not set, is 1.0",
    ),
    "accumulation": (
        dict(
            optim_wrapper=dict(optimizer=dict(type="Adam", lr=0.01), accumulative_counts=3)
        ),
        "accumulative_counts was 1, is 3",
    ),
    "length of the warm-up": (linear(end=5), r"param_scheduler\.0\.total_iters was 2, is 4"),
    "beginning of the warm-up": (linear(start_factor=0.2), "start_factor was 0.1, is 0.2"),
    "another schedule": (
        dict(param_scheduler=[dict(type="MultiStepLR", by_epoch=False, milestones=[4])]),
        r"param_scheduler\.0\.milestones",
    ),
    "no schedule": (dict(param_scheduler=None), "had 1 schedules, there are 0"),
    "a second schedule": (
        dict(
            param_scheduler=[
                *linear()["param_scheduler"],
                dict(type="StepLR", by_epoch=False, step_size=2),
            ]
        ),
        "had 1 schedules, there are 2",
    ),
    "seed": (dict(randomness=dict(seed=4)), "seed .* was 3, is 4"),
    "batch size": (loader(batch_size=6), r"batch_size \(of all ranks\) was 4, is 6"),
    "images per identity": (
        loader(num_instances=1), "num_instances was 2, is 1",
    ),
    "order": (loader(strategy="exhaustive_top_up"), "strategy was exhaustive_drop, is"),
    "data": (loader(dataset=dict(first_pid=1)), r"dataset\.pids \(checksum\) was"),
    "loop": (
        dict(
            train_cfg=dict(type="mmreid_ext.ReIDEpochTrainLoop", max_epochs=5),
            param_scheduler=linear()["param_scheduler"],
        ),
        "train_cfg.type was ReIDTrainLoop, is ReIDEpochTrainLoop",
    ),
    "MMEngine's loop": (
        dict(
            train_cfg=dict(type="mmengine.IterBasedTrainLoop", max_iters=ITERS),
            **mmengine_loader(),
        ),
        "train_cfg.type was ReIDTrainLoop, is IterBasedTrainLoop",
    ),
    "length": (
        dict(train_cfg=dict(type="mmreid_ext.ReIDTrainLoop", max_iters=2)),
        "written after iteration 3, this run ends at 2",
    ),
}  # fmt: skip
