"""A run of another length has the same course, faster or slower."""

import copy
from argparse import Namespace
from pathlib import Path

import pytest
from mmengine.config import Config

from mmreid_ext.cli.training.run_length import apply_length_arguments
from mmreid_ext.errors import UserError

CONFIGS = sorted((Path(__file__).parents[3] / "configs").glob("*.py"))


def changed(cfg, **length):
    return apply_length_arguments(cfg, Namespace(**{"iters": None, "epochs": None} | length))


def length_of(cfg):
    """Unit and length of a configuration."""
    unit = "iters" if cfg.train_cfg.get("max_iters") else "epochs"
    return unit, cfg.train_cfg[f"max_{unit}"]


@pytest.mark.parametrize("path", CONFIGS, ids=lambda path: path.stem)
def test_every_configuration_keeps_its_course(path):
    whole = Config.fromfile(path)
    unit, length = length_of(whole)
    same = copy.deepcopy(whole)
    assert changed(same, **{unit: length}) == ""
    assert same.to_dict() == whole.to_dict(), "its own length changes nothing"

    for short in (max(2, length // 10), 2):
        cfg = copy.deepcopy(whole)
        assert f"{short:,} {unit} in place of {length:,}" in changed(cfg, **{unit: short})
        assert length_of(cfg) == (unit, short)
        assert 1 <= cfg.train_cfg.val_interval <= short
        assert cfg.default_hooks.checkpoint.interval >= 1
        for before, after in zip(whole.param_scheduler, cfg.param_scheduler, strict=True):
            assert after.type == before.type
            for mark in ("begin", "end", "T_max"):
                assert after.get(mark, 0) <= short or before[mark] > length
            assert after.get("begin", 0) < after.get("end", short)
            marks = after.get("milestones", [])
            assert marks == sorted(marks) and all(1 <= mark <= short for mark in marks)
            assert len(marks) == len(before.get("milestones", []))


def example():
    return Config(
        dict(
            max_iters=1000,
            train_cfg=dict(type="mmreid_ext.MetaBINTrainLoop", max_iters=1000, val_interval=100),
            param_scheduler=[
                dict(type="LinearLR", start_factor=0.1, begin=0, end=101),
                dict(type="MultiStepLR", begin=101, end=10**9, milestones=[400, 700]),
            ],
            default_hooks=dict(checkpoint=dict(interval=250), logger=dict(interval=50), timer=None),
            custom_hooks=[dict(type="EMAHook", begin_iter=500)],
            model=dict(
                head=dict(losses=dict(xbm=dict(start_iter=300), other=[dict(start_iter=0)]))
            ),
        )
    )


def test_every_mark_moves_in_proportion():
    cfg = example()
    changed(cfg, iters=100)
    assert cfg.max_iters == 100
    assert cfg.train_cfg.val_interval == 10 and cfg.train_cfg.inner_ratio.period == 73
    warm_up, steps = cfg.param_scheduler
    assert (warm_up.begin, warm_up.end) == (0, 10)
    assert (steps.begin, steps.end, steps.milestones) == (10, 10**9, [40, 70])
    assert cfg.default_hooks.checkpoint.interval == 25 and cfg.default_hooks.logger.interval == 20
    assert cfg.custom_hooks[0].begin_iter == 50
    assert cfg.model.head.losses.xbm.start_iter == 30
    assert cfg.model.head.losses.other[0].start_iter == 0


def test_a_longer_run():
    cfg = example()
    changed(cfg, iters=3000)
    assert cfg.param_scheduler[1].milestones == [1200, 2100]
    assert cfg.default_hooks.checkpoint.interval == 750 and cfg.default_hooks.logger.interval == 50


def test_the_shortest_run_reaches_the_full_learning_rate():
    cfg = example()
    changed(cfg, iters=3)
    assert cfg.param_scheduler[0].end == 2, "a warm-up of one step would never be left"


def test_what_cannot_be_done_is_said():
    with pytest.raises(UserError, match="--epochs 3: .* counts no epochs; give --iters"):
        changed(example(), epochs=3)
    with pytest.raises(UserError, match="--iters 0: a run has at least 1"):
        changed(example(), iters=0)
    with pytest.raises(UserError, match="gives no length"):
        changed(Config(dict(train_cfg=None)), iters=3)
