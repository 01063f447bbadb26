"""Settings of a run that would have no effect beside its other settings.

A change in one place of a configuration can take the effect of a setting elsewhere. The training
loops call :func:`check_run` before data are read. It refuses what makes a run useless, and warns of
what only lies idle.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import torch.distributed as dist
from mmengine.hooks import CheckpointHook, EarlyStoppingHook, EMAHook
from mmengine.logging import print_log
from mmengine.runner import Runner

from mmreid_ext.datasets.wrappers import refuse_wrappers
from mmreid_ext.errors import UserError
from mmreid_ext.setting_checks import is_finite

from .before_data import check_preprocessor, check_validation_settings
from .idle_model_settings import check_model

VALIDATION_NEEDED = (EarlyStoppingHook,)


@dataclass(frozen=True)
class RunLength:
    """Length of a training, in the unit in which its loop counts.

    Args:
        name: ``'max_iters'`` or ``'max_epochs'``.
        end: Number of them.
        val_begin: First of them after which a validation may come.
        val_interval: Number of them between two validations.
    """

    name: str
    end: int
    val_begin: int = 1
    val_interval: int = 1

    @property
    def by_epoch(self) -> bool:
        """Whether the loop counts epochs."""
        return self.name == "max_epochs"

    def __str__(self) -> str:
        return f"train_cfg.{self.name}={self.end}"

    def check(self) -> None:
        """Raise :class:`UserError` unless the numbers are counts."""
        lowest = {self.name: 1, "val_interval": 1, "val_begin": 0}
        values = {self.name: self.end, "val_interval": self.val_interval}
        for name, value in (values | {"val_begin": self.val_begin}).items():
            if not is_finite(value) or value != int(value):
                raise UserError(f"train_cfg.{name}={value!r}, a whole number is needed.")
            if value < lowest[name]:
                raise UserError(f"train_cfg.{name}={value}, at least {lowest[name]} is needed.")


def length_of(name: str, end: int, options: Mapping[str, Any]) -> RunLength:
    """Return the length of a loop from its arguments."""
    known = ("val_begin", "val_interval")
    return RunLength(name, end, **{key: options[key] for key in known if key in options})


def check_run(runner: Runner, loader: Any, length: RunLength, updates_gates: bool = False) -> None:
    """Refuse contradictions between the settings of a training; warn of those that lie idle.

    Args:
        runner: Before its data, optimiser and schedules are built.
        loader: Settings of the training loader.
        length: Of the training.
        updates_gates: Whether the loop updates the gates of batch-instance norms.

    Raises:
        UserError: If a schedule could never step, if a test set would be cut, or if torchrun
            started several ranks and each of them would train alone.
    """
    _check_joined()
    length.check()
    check_preprocessor(runner.model, loader)
    check_model(runner, loader, None if length.by_epoch else length.end, updates_gates)
    validated = runner._val_loop is not None and length.val_begin <= length.end
    if runner._val_loop is not None:
        check_validation_settings(runner)
    if runner._val_loop is not None and not validated:
        _warn(f"train_cfg.val_begin={length.val_begin} lies behind {length}: nothing is validated.")
    if isinstance(loader, Mapping):
        refuse_wrappers(loader.get("dataset"), "train_dataloader.dataset")
    check_complete(runner._val_dataloader, "val_dataloader")
    for place, schedule in schedules(runner.param_schedulers):
        _check_schedule(place, schedule, length, validated)
    for hook in runner.hooks:
        _check_hook(hook, length, validated)
    _check_scaling(runner.auto_scale_lr)


def _check_joined() -> None:
    ranks = os.environ.get("WORLD_SIZE", "1")
    if "RANK" in os.environ and ranks != "1" and not dist.is_initialized():
        raise UserError(
            f"launcher='none', but {ranks} ranks were started: each would train everything, in one "
            "folder; set launcher='pytorch' in the configuration."
        )


def check_complete(loader: Any, name: str) -> None:
    """Raise if a loader of test images leaves some of them out, or repeats them.

    Raises:
        UserError: If it has ``drop_last=True`` or ``num_batch_per_epoch``, or wraps its data set.
    """
    if not isinstance(loader, Mapping):
        return
    refuse_wrappers(loader.get("dataset"), f"{name}.dataset", is_test=True)
    if loader.get("drop_last"):
        raise UserError(f"{name}.drop_last=True leaves images out of the evaluation: set it False.")
    if loader.get("num_batch_per_epoch") is not None:
        raise UserError(f"{name}.num_batch_per_epoch leaves images out of the evaluation: drop it.")


def schedules(given: Any) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Yield place and settings of every schedule that isn't built yet."""
    if isinstance(given, Mapping) and "type" not in given:  # of several optimisers
        for name, some in given.items():
            for place, schedule in schedules(some):
                yield place.replace("param_scheduler", f"param_scheduler.{name}", 1), schedule
        return
    several = given if isinstance(given, (list, tuple)) else [given]
    for number, schedule in enumerate(several):
        if isinstance(schedule, Mapping):
            yield f"param_scheduler.{number}", schedule


def _check_schedule(
    place: str, schedule: Mapping[str, Any], length: RunLength, validated: bool
) -> None:
    if "monitor" in schedule or "ReduceOnPlateau" in str(schedule.get("type")):
        if not validated:
            _warn(f"{place} reads a validation, and there is none: it never steps.")
        return
    converted = bool(schedule.get("convert_to_iter_based"))
    by_epoch = bool(schedule.get("by_epoch", True))
    if by_epoch and not converted and not length.by_epoch:
        raise UserError(
            f"{place}.by_epoch=True (MMEngine's default), but {length} counts iterations: the "
            "schedule would never step; set by_epoch=False and count iterations in it."
        )
    if by_epoch != length.by_epoch:
        return  # in another unit: the length of an epoch isn't known yet
    begin = int(schedule.get("begin", 0))
    end = schedule.get("end")
    if begin >= length.end:
        _warn(f"{place}.begin={begin} lies behind {length}: the schedule has no effect.")
        return
    late = [m for m in _numbers(schedule.get("milestones")) if m >= length.end]
    if late:
        _warn(f"{place}.milestones {late} lie behind {length}: they have no effect.")
    if end is not None and end > length.end + 1:  # one more: the last step of a warm-up
        _warn(f"{place}.end={end} lies behind {length}: the schedule doesn't come to its end.")
    _check_period(place, schedule, begin, end, length)


def _check_period(
    place: str, schedule: Mapping[str, Any], begin: int, end: int | None, length: RunLength
) -> None:
    period = schedule.get("T_max")
    if period is None:
        return
    last = min(length.end, end if end is not None else length.end)
    if begin + period > length.end + 1:
        _warn(f"{place}.T_max={period} reaches behind {length}: the cosine stops on its way down.")
    elif begin + period < last - 1:
        _warn(f"{place}.T_max={period} ends before {length}: the cosine rises again.")


def _numbers(value: Any) -> list[int]:
    return list(value) if isinstance(value, (list, tuple)) else []


def _check_hook(hook: Any, length: RunLength, validated: bool) -> None:
    if isinstance(hook, VALIDATION_NEEDED) and not validated:
        _warn(f"{type(hook).__name__} reads a validation, and there is none: it never acts.")
    if isinstance(hook, CheckpointHook):
        _check_checkpoints(hook, length, validated)
    if isinstance(hook, EMAHook):
        begin = hook.begin_epoch if length.by_epoch else hook.begin_iter
        if begin >= length.end:
            _warn(f"EMAHook begins at {begin}, behind {length}: nothing is averaged.")
        if hook.begin_epoch > 0 and not length.by_epoch:
            raise UserError(
                f"EMAHook: begin_epoch={hook.begin_epoch}, but {length} counts iterations: give "
                "begin_iter."
            )


def _check_checkpoints(hook: CheckpointHook, length: RunLength, validated: bool) -> None:
    name = "default_hooks.checkpoint"
    if hook.save_best and not validated:
        _warn(f"{name}.save_best={hook.save_best!r}: nothing is validated, no best one is kept.")
    if hook.by_epoch and not length.by_epoch:
        _warn(
            f"{name}.by_epoch=True, but {length} counts iterations: a checkpoint is written at the "
            "end only; set by_epoch=False."
        )
        return
    within = hook.by_epoch != length.by_epoch or 0 < hook.interval <= length.end
    if not within and not hook.save_last:
        _warn(f"{name}: interval={hook.interval}, save_last=False, {length}: nothing is saved.")


def _check_scaling(scaling: Mapping[str, Any] | None) -> None:
    if scaling is not None and not scaling.get("enable", False):
        _warn("auto_scale_lr has no effect without enable=True: the learning rate isn't scaled.")


def _warn(text: str) -> None:
    print_log(text, logger="current", level=logging.WARNING)
