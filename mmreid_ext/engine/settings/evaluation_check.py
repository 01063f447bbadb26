"""Settings of validation and test that only the first evaluation would find wrong."""

from __future__ import annotations

import copy
import logging
from collections.abc import Iterator, Mapping
from typing import Any

from mmengine.hooks import CheckpointHook, EarlyStoppingHook
from mmengine.logging import print_log
from mmengine.runner import Runner

from mmreid_ext.datasets.checks.quick_check import QuickCheck, quick_check
from mmreid_ext.datasets.record_dataset import RecordDataset
from mmreid_ext.datasets.wrappers import unwrapped
from mmreid_ext.distributed import is_main
from mmreid_ext.errors import UserError
from mmreid_ext.evaluation.reid_metric import ReIDMetric
from mmreid_ext.registry import DATASETS
from mmreid_ext.suggest import nearest


def check_validation(runner: Runner) -> None:
    """Check, before the first step of a training, what its validations will need.

    Raises:
        ValueError: If a test set can't be evaluated, or a hook or schedule watches a metric that no
            validation reports, or keeps the worst.
    """
    loop = runner.val_loop
    if loop is None:
        return
    check_test_sets(loop)
    keys = _reported_keys(loop)
    if keys is None:
        return
    for owner, key, rule in _watched(runner):
        _check_key(owner, key, rule, keys)


def check_test_sets(loop: Any) -> None:
    """Check, before features are extracted, that the images of a loop can be evaluated.

    Args:
        loop: A validation or test loop of MMEngine.

    Raises:
        ValueError: If a protocol doesn't fit its test set, or no query has a match.
    """
    table = getattr(loop.dataloader.dataset, "image_table", None)
    metrics = [m for m in loop.evaluator.metrics if isinstance(m, ReIDMetric)]
    if table is None or not metrics:
        return
    images = table()
    for metric in metrics:
        metric.check_images(images)


def other_test_set(runner: Runner) -> Any:
    """Build the test set of a training that is validated on another one.

    A training doesn't need it, so what keeps it from being built is a warning.

    Args:
        runner: Its configuration tells both sets.

    Returns:
        The data set; None if there is none, or validation uses the same.
    """
    validated, tested = (_dataset_settings(runner, name) for name in ("val", "test"))
    if runner.val_loop is None or tested is None or tested == validated:
        return None
    try:
        return DATASETS.build(copy.deepcopy(tested))
    except UserError as error:
        if is_main():
            text = f"test_dataloader: {error} The training goes on; tools/test.py will need it."
            print_log(text, logger="current", level=logging.WARNING)
        return None


def _dataset_settings(runner: Runner, name: str) -> Mapping[str, Any] | None:
    loader = runner.cfg.get(f"{name}_dataloader")
    dataset = loader.get("dataset") if isinstance(loader, Mapping) else None
    return dataset if isinstance(dataset, Mapping) else None


def check_data_sets(train: Any, loop: Any, other: Any = None) -> QuickCheck | None:
    """Look at the data sets of a training, and say on the main rank what is in them.

    Images and people that are trained on and tested are a warning: some mean it, as a trial.

    Args:
        train: Training set.
        loop: Validation loop, or None.
        other: Test set that no validation uses, or None.

    Returns:
        What was found; None if the training set is none of ours.

    Raises:
        UserError: If files are no pictures, so that the training or an evaluation would stop later.
    """
    train = unwrapped(train)
    if not isinstance(train, RecordDataset):
        return None
    tests = [None if loop is None else loop.dataloader.dataset, other]
    tests = [unwrapped(test) for test in tests if test is not None]
    found = quick_check(train, [test for test in tests if isinstance(test, RecordDataset)])
    if is_main():
        print_log(f"data     {found.line}", logger="current")
        for message in found.warnings:
            print_log(message, logger="current", level=logging.WARNING)
    found.require_no_fault()
    return found


def _reported_keys(loop: Any) -> list[str] | None:
    """Return the keys that the validation reports, None where they can't be known."""
    keys: list[str] = []
    for metric in loop.evaluator.metrics:
        known = metric.metric_keys() if isinstance(metric, ReIDMetric) else None
        if known is None:
            return None
        keys += known
    return keys


def _watched(runner: Runner) -> Iterator[tuple[str, str, Any]]:
    """Yield whoever looks at a metric: its setting, the key, and the rule where it has one."""
    for hook in runner.hooks:
        if isinstance(hook, CheckpointHook) and hook.save_best is not None:
            rules = hook.rules * (len(hook.key_indicators) if len(hook.rules) == 1 else 1)
            for key, rule in zip(hook.key_indicators, rules, strict=False):
                if key != "auto":
                    yield "CheckpointHook: save_best", key, rule
        elif isinstance(hook, EarlyStoppingHook):
            yield "EarlyStoppingHook: monitor", hook.monitor, hook.rule
    schedules = runner.param_schedulers or []
    if isinstance(schedules, Mapping):
        schedules = [one for several in schedules.values() for one in several]
    for schedule in schedules:
        if isinstance(schedule, Mapping):  # not built yet: MMEngine builds them before training
            continue
        monitor = getattr(schedule, "monitor", None)
        if isinstance(monitor, str) and getattr(schedule, "need_val_args", False):
            yield f"{type(schedule).__name__}: monitor", monitor, getattr(schedule, "rule", None)


def _check_key(owner: str, key: str, rule: Any, keys: list[str]) -> None:
    if key not in keys:
        same_end = [known for known in keys if known.endswith(f"/{key}")]
        meant = same_end[0] if same_end else nearest(key, keys)
        hint = f" (did you mean {meant!r}?)" if meant else ""
        raise UserError(
            f"{owner}={key!r}{hint} is no metric of the validation, which reports "
            f"{', '.join(keys)}. Write one of these."
        )
    if rule == "less":
        raise UserError(
            f"{owner}={key!r} with rule='less' takes the worst score for the best: {key} is better "
            "where it is greater; use rule='greater'."
        )
