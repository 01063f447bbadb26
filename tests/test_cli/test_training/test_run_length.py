"""A run of another length has the same course, faster or slower."""

import copy
from argparse import Namespace
from pathlib import Path

import mmengine.optim  # noqa: F401  registers the schedules
import pytest
import torch
from mmengine.config import Config
from mmengine.registry import PARAM_SCHEDULERS

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


EPOCH = 10
"""Iterations per epoch of the simulated courses."""


def course_of(cfg):
    """Learning rates of all iterations, in units of the configured one."""
    unit, length = length_of(cfg)
    steps = 1 if unit == "iters" else EPOCH
    optimizer = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=1.0)
    schedules = []
    for schedule in copy.deepcopy(cfg.param_scheduler):
        kind = PARAM_SCHEDULERS.get(schedule.pop("type"))
        if schedule.pop("convert_to_iter_based", False):
            kind, schedule["epoch_length"] = kind.build_iter_from_epoch, EPOCH
        schedules.append(kind(optimizer, **schedule))
    rates = []
    for iteration in range(1, length * steps + 1):
        rates.append(optimizer.param_groups[0]["lr"])
        optimizer.step()
        for schedule in schedules:
            if not schedule.by_epoch or iteration % steps == 0:
                schedule.step()
    return rates


@pytest.mark.parametrize("path", CONFIGS, ids=lambda path: path.stem)
def test_a_tenth_of_a_run_reaches_the_full_rate_and_the_last_one(path):
    whole = Config.fromfile(path)
    unit, length = length_of(whole)
    # at its real length a long course costs seconds; a tenth of 1,000 is as short as it gets
    changed(whole, **{unit: min(length, 1000)})
    short = copy.deepcopy(whole)
    changed(short, **{unit: length_of(whole)[1] // 10})
    before, after = course_of(whole), course_of(short)
    assert max(after) == pytest.approx(max(before), rel=0.02), "the warm-up ends"
    # a cosine of 30 iterations ends a third higher than one of 300, before its last step
    assert before[-1] <= after[-1] * 1.001 and after[-1] <= 1.4 * before[-1]


def test_a_cosine_begins_where_the_warm_up_ends_and_ends_with_the_run():
    def schedules(convert):
        common = dict(by_epoch=True, convert_to_iter_based=convert)
        warm_up = dict(type="LinearLR", start_factor=0.1, begin=0, end=2, **common)
        return [dict(type="CosineAnnealingLR", begin=2, end=40, T_max=38, **common), warm_up]

    for convert, first in ((True, 1), (False, 2)):  # a warm-up within an epoch, or over two
        cfg = Config(dict(train_cfg=dict(max_epochs=40), param_scheduler=schedules(convert)))
        changed(cfg, epochs=4)
        cosine, warm_up = cfg.param_scheduler
        assert warm_up.end == cosine.begin == first
        assert (cosine.end, cosine.T_max) == (4, 4 - first)


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
