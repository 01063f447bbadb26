"""No setting loses its effect in silence: the list of pairs that contradict one another."""

import pytest
from helpers.tiny_reid import tiny_model, tiny_runner
from mmengine.runner import Runner

from mmreid_ext.engine.settings import idle_model_settings, idle_settings
from mmreid_ext.errors import UserError

ITERS = "mmreid_ext.ReIDTrainLoop"
EPOCHS = "mmreid_ext.ReIDEpochTrainLoop"
VALIDATED = dict(
    val_dataloader=dict(
        batch_size=4,
        num_workers=0,
        dataset=dict(type="mmreid_ext.TinyReID"),
        sampler=dict(type="DefaultSampler", shuffle=False),
    ),
    val_cfg=dict(type="ValLoop"),
    val_evaluator=dict(type="mmreid_ext.ReIDMetric"),
)


def hooks(**checkpoint):
    return dict(checkpoint=dict(type="CheckpointHook", **checkpoint))


def schedule(**settings):
    return [dict(type="MultiStepLR", milestones=[1]) | settings]


def cosine(**settings):
    return [dict(type="CosineAnnealingLR", by_epoch=False) | settings]


def plain(end=3, kind=ITERS, **options):
    """A loop without gates, and the model for it."""
    name = "max_epochs" if kind == EPOCHS else "max_iters"
    return dict(
        train_cfg={"type": kind, name: end, **options}, model=tiny_model("mmreid_ext.SyncBN")
    )


def plateau():
    return [dict(type="ReduceOnPlateauLR", monitor="tiny/R1", rule="greater")]


WARNED = {
    "milestones": (
        plain() | dict(param_scheduler=schedule(by_epoch=False, milestones=[2, 9])),
        r"param_scheduler.0.milestones \[9\] lie behind train_cfg.max_iters=3",
    ),
    "milestones of epochs": (
        plain(kind=EPOCHS) | dict(param_scheduler=schedule(milestones=[40])),
        r"milestones \[40\] lie behind train_cfg.max_epochs=3",
    ),
    "end": (
        plain() | dict(param_scheduler=[dict(type="LinearLR", by_epoch=False, end=50)]),
        "param_scheduler.0.end=50 lies behind",
    ),
    "begin": (
        plain() | dict(param_scheduler=cosine(begin=3, T_max=2)),
        "param_scheduler.0.begin=3 lies behind",
    ),
    "long period": (plain() | dict(param_scheduler=cosine(T_max=30)), "T_max=30 reaches behind"),
    "short period": (
        plain(30) | dict(param_scheduler=cosine(T_max=10)),
        "T_max=10 ends before .* rises again",
    ),
    "plateau": (plain() | dict(param_scheduler=plateau()), "reads a validation.* never steps"),
    "val_begin": (
        plain(val_begin=4) | VALIDATED,
        "val_begin=4 lies behind .* nothing is validated",
    ),
    "best": (
        plain() | dict(default_hooks=hooks(by_epoch=False, save_best="tiny/R1", rule="greater")),
        r"save_best=\['tiny/R1'\]: nothing is validated",
    ),
    "checkpoints of epochs": (
        plain() | dict(default_hooks=hooks(by_epoch=True)),
        "default_hooks.checkpoint.by_epoch=True.* at the end only",
    ),
    "no checkpoint": (
        plain() | dict(default_hooks=hooks(by_epoch=False, interval=9, save_last=False)),
        "interval=9, save_last=False.* nothing is saved",
    ),
    "early stopping": (
        plain() | dict(custom_hooks=[dict(type="EarlyStoppingHook", monitor="a", rule="less")]),
        "EarlyStoppingHook reads a validation",
    ),
    "average": (
        plain() | dict(custom_hooks=[dict(type="mmengine.EMAHook", begin_iter=3)]),
        "EMAHook begins at 3, behind",
    ),
    "scaling": (
        plain() | dict(auto_scale_lr=dict(base_batch_size=16)),
        "auto_scale_lr has no effect without enable=True",
    ),
}

REFUSED = {
    "schedule of epochs": (
        plain() | dict(param_scheduler=schedule()),
        r"param_scheduler.0.by_epoch=True.*set by_epoch=False",
    ),
    "schedule of epochs, of several optimisers": (
        plain() | dict(param_scheduler=dict(one=schedule())),
        r"param_scheduler.one.0.by_epoch=True",
    ),
    "cut test": (
        plain()
        | VALIDATED
        | dict(val_dataloader=dict(VALIDATED["val_dataloader"], drop_last=True)),
        "val_dataloader.drop_last=True leaves images out",
    ),
    "average of epochs": (
        plain() | dict(custom_hooks=[dict(type="mmengine.EMAHook", begin_epoch=2)]),
        "begin_epoch=2.* give begin_iter",
    ),
    "no iterations": (plain(0), "train_cfg.max_iters=0, at least 1"),
    "no interval": (plain(val_interval=0), "train_cfg.val_interval=0, at least 1"),
    "text": (plain("ten"), "train_cfg.max_iters='ten', a whole number"),
    "half": (plain(2.5, EPOCHS), "train_cfg.max_epochs=2.5, a whole number"),
}


@pytest.fixture
def warned(monkeypatch):
    texts = []
    for module in (idle_settings, idle_model_settings):
        monkeypatch.setattr(module, "print_log", lambda text, **_: texts.append(text))
    return texts


def build_loop(folder, changes):
    runner = tiny_runner(folder, **changes)
    return runner.build_train_loop(runner._train_loop)


@pytest.mark.parametrize("name", WARNED)
def test_what_lies_idle_is_said(name, tmp_path, warned):
    changes, message = WARNED[name]
    build_loop(tmp_path, changes)
    assert len(warned) == 1
    with pytest.raises(UserError, match=message):
        raise UserError(warned[0])


@pytest.mark.parametrize("name", REFUSED)
def test_what_contradicts_is_refused_before_data_are_read(name, tmp_path, monkeypatch):
    changes, message = REFUSED[name]
    runner = tiny_runner(tmp_path, **changes)
    monkeypatch.setattr(Runner, "build_dataloader", None)  # whoever reads data fails otherwise
    with pytest.raises(UserError, match=message):
        runner.build_train_loop(runner._train_loop)


def test_settings_that_agree_cause_no_word(tmp_path, warned):
    changes = plain(4, val_interval=2) | VALIDATED
    changes["param_scheduler"] = [
        dict(type="LinearLR", by_epoch=False, begin=0, end=2, start_factor=0.1),
        *cosine(begin=2, end=4, T_max=2),
        *plateau(),
    ]
    changes["default_hooks"] = hooks(
        by_epoch=False, interval=9, save_best="tiny/R1", rule="greater"
    )
    build_loop(tmp_path / "a", changes)
    build_loop(tmp_path / "b", dict(default_hooks=hooks(by_epoch=False)))  # MetaBIN
    assert warned == []


def test_ranks_that_nobody_joined_are_refused(tmp_path, monkeypatch):
    runner = tiny_runner(tmp_path, **plain())
    monkeypatch.setenv("RANK", "1")
    monkeypatch.setenv("WORLD_SIZE", "2")
    with pytest.raises(UserError, match="2 ranks were started.*launcher='pytorch'"):
        runner.build_train_loop(runner._train_loop)


@pytest.mark.parametrize("end", [float("inf"), float("nan"), 10**400, 2.5, True, "5"], ids=type)
def test_a_length_is_a_whole_number_that_a_float_can_hold(end):
    with pytest.raises(UserError, match="train_cfg.max_iters=.*, a whole number is needed"):
        idle_settings.RunLength("max_iters", end).check()
    idle_settings.RunLength("max_iters", 5.0).check()
