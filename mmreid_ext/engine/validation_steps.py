"""Place validations on the axis of the log."""

from __future__ import annotations

from mmengine.hooks import LoggerHook
from mmengine.runner import Runner


def log_validations_by_iteration(runner: Runner) -> None:
    """Let the log hooks write the figures of a validation at the iteration that it follows.

    MMEngine's hook takes the epoch, unless ``log_metric_by_epoch=False``. A run in iterations stays
    in epoch 0 to its end, so TensorBoard and ``scalars.json`` would have every validation at step
    0. The axis of the losses is the iteration, so it is of the validations.

    Args:
        runner: Of a training in iterations; its hooks are changed in place.
    """
    for hook in runner.hooks:
        if isinstance(hook, LoggerHook):
            hook.log_metric_by_epoch = False
