"""Names that MMEngine looks up late are looked up at once; the nearest one is named."""

import pytest
from mmengine.config import Config

from mmreid_ext.engine.settings.spelling import check_spelling
from mmreid_ext.errors import UserError


def check(**changes):
    check_spelling(Config(dict(default_scope="mmpretrain") | changes))


def loader(name):
    return dict(collate_fn=dict(type=name))


def hook(**settings):
    return dict(default_hooks=dict(a=settings))


@pytest.mark.parametrize(
    "settings",
    [
        dict(),
        dict(log_level=20),
        dict(log_level="debug"),
        dict(default_scope="mmengine"),
        dict(default_scope=None),
        dict(optim_wrapper=dict(optimizer=dict(type="SGD"))),
        dict(train_dataloader=loader("mmreid_ext.reid_collate")),
        dict(model=dict(backbone=dict(norm_cfg=dict(type="mmreid_ext.BIN")))),
        hook(type="CheckpointHook", interval=1, priority="LOW", save_optimizer=False),
        dict(custom_hooks=[dict(type="EMAHook", momentum=0.1, begin_iter=2)]),
        dict(custom_hooks=[dict(type="LoggerHook", misspelt=1), None]),  # MMEngine checks it
        dict(default_hooks=dict(checkpoint=None, mine=dict(type="LoggerHook"))),
        dict(log_processor=dict(by_epoch=False, window_size=3)),
        dict(log_processor=dict(type="MyLogProcessor", whatever=3)),
        dict(optim_wrapper=dict(paramwise_cfg=dict(), accumulative_counts=2)),
    ],
)
def test_names_that_exist(settings):
    check(**settings)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        (dict(default_scope="mmpretrian"), "default_scope='mmpretrian' .did you mean 'mmpretrain'"),
        (dict(log_level="loud"), "log_level='loud', one of CRITICAL, ERROR, WARNING"),
        (
            dict(optim_wrapper=dict(optimizer=dict(type="SDG"))),
            "optim_wrapper.optimizer: type='SDG'.* mean 'SGD'",
        ),
        (
            dict(train_dataloader=loader("mmreid_ext.reid_colate")),
            "train_dataloader.collate_fn: .* mean 'mmreid_ext.reid_collate'",
        ),
        (
            dict(train_cfg=dict(meta_dataloader=loader("psuedo_collate"))),
            "train_cfg.meta_dataloader.collate_fn: .*mean 'pseudo_collate'",
        ),
        (
            dict(model=dict(backbone=dict(norm_cfg=dict(type="BNN")))),
            "model.backbone.norm_cfg: type='BNN'.* mean 'BN'",
        ),
        (
            hook(type="CheckpointHook", intervall=1),
            "default_hooks.a: CheckpointHook takes no 'intervall' .did you mean 'interval'",
        ),
        (
            dict(custom_hooks=[dict(type="EMAHook", momentun=1)]),
            "custom_hooks.0: EMAHook takes no 'momentun' .did you mean 'momentum'",
        ),
        (
            dict(default_hooks=dict(chekpoint=dict(type="CheckpointHook"))),
            "default_hooks: nothing reads 'chekpoint' .did you mean 'checkpoint'",
        ),
        (
            dict(log_processor=dict(by_epoc=True)),
            "log_processor: nothing reads 'by_epoc' .did you mean 'by_epoch'",
        ),
        (
            dict(param_scheduler=[dict(typpe="MultiStepLR")]),
            "param_scheduler.0: nothing reads 'typpe' .did you mean 'type'",
        ),
        (
            dict(optim_wrapper=dict(paramwise_cgf=dict())),
            "optim_wrapper: nothing reads 'paramwise_cgf' .did you mean 'paramwise_cfg'",
        ),
        (
            dict(custom_hooks=[dict(type="EMAHook", ema_type="StochasticWeightAverag")]),
            "custom_hooks.0.ema_type: .* mean 'StochasticWeightAverage'",
        ),
    ],
)
def test_names_that_do_not_exist(settings, message):
    with pytest.raises(UserError, match=message):
        check(**settings)
