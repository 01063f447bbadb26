"""Store with every checkpoint what an application must do to use it."""

from __future__ import annotations

import logging

from mmengine.hooks import Hook
from mmengine.logging import print_log
from mmengine.runner import Runner
from mmengine.runner.checkpoint import find_latest_checkpoint
from torch import nn

from mmreid_ext.checkpoint.safe_load import read_meta
from mmreid_ext.checkpoint.usage import (
    KEY,
    compare_usage,
    deployment_info,
    describe_config,
    recorded_size,
)
from mmreid_ext.distributed import is_main
from mmreid_ext.engine.kept_thresholds import keep_thresholds
from mmreid_ext.engine.network import network_of
from mmreid_ext.errors import UserError
from mmreid_ext.evaluation.reid_metric import ReIDMetric
from mmreid_ext.image_loading import evaluation_steps
from mmreid_ext.models.position_embeddings import resize_loaded
from mmreid_ext.registry import HOOKS


@HOOKS.register_module()
class DeploymentInfoHook(Hook):
    """Write ``meta['mmreid_ext']``: how to build the embedder, and how to use it, as plain data.

    At the end of a training the similarities at false positive rates of the last validation join
    the last checkpoint, if it holds the validated weights.

    When a checkpoint is loaded, what it records is compared with the configuration: see
    :mod:`mmreid_ext.checkpoint.usage.check`. Read it back with
    :func:`mmreid_ext.apis.read_deployment_info`. The preprocessing is that of the configuration's
    tests.

    Example:
        >>> default_hooks = dict(deployment_info=dict(type='mmreid_ext.DeploymentInfoHook'))
    """

    _said = False
    _validated_at: int | None = None

    def before_save_checkpoint(self, runner: Runner, checkpoint: dict) -> None:
        """Add the information to ``checkpoint``, in place."""
        model = network_of(runner.model)
        network, steps = runner.cfg.get("model"), evaluation_steps(runner.cfg)
        record = deployment_info(
            model,
            steps.transforms if steps else (),
            network if isinstance(network, dict) else None,
            steps and steps.loader,
        )
        try:
            record["config"] = describe_config(runner.cfg)
        except UserError as error:
            self._say_once(
                f"Checkpoints of this run hold no configuration: {error} Until then they are used "
                "with the configuration beside them."
            )
        checkpoint["meta"][KEY] = record

    def _say_once(self, text: str) -> None:
        if not self._said:
            print_log(text, logger="current", level=logging.WARNING)
            self._said = True

    def after_val_epoch(self, runner: Runner, metrics: dict | None = None) -> None:
        """Note which weights were validated last."""
        self._validated_at = runner.iter

    def after_train(self, runner: Runner) -> None:
        """Keep the thresholds of the last validation with the last checkpoint, if it saw it."""
        if not is_main() or self._validated_at != runner.iter:
            return
        path = find_latest_checkpoint(runner.work_dir)
        if path is None or read_meta(path).get("iter") != runner.iter:
            return
        for metric in runner.val_loop.evaluator.metrics:
            if isinstance(metric, ReIDMetric):
                keep_thresholds(path, metric, network_of(runner.model))

    def after_load_checkpoint(self, runner: Runner, checkpoint: dict) -> None:
        """Compare with the configuration; a training may change its input, a test may not."""
        model = network_of(runner.model)
        # The runner builds its training loop before it loads; a test has none.
        trains = not isinstance(runner._train_loop, (dict, type(None)))
        compare_usage(model, runner.cfg, checkpoint, runner._load_from or "the checkpoint", trains)
        size, state = recorded_size(checkpoint), checkpoint.get("state_dict")
        backbone = getattr(model, "backbone", None)
        if size is not None and isinstance(state, dict) and isinstance(backbone, nn.Module):
            resize_loaded(backbone, state, "backbone.", size)
