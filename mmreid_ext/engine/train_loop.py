"""Iteration-based training that resumes exactly and stops on the first non-finite loss."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import torch
from mmengine.runner import Runner
from mmengine.runner.loops import IterBasedTrainLoop, _InfiniteDataloaderIterator
from torch import Tensor
from torch.utils.data import DataLoader

from mmreid_ext.checkpoint.finite_weights import what_is_left
from mmreid_ext.datasets.wrappers import unwrapped
from mmreid_ext.distributed import get_world_size, mean_over_ranks
from mmreid_ext.engine.settings.evaluation_check import check_validation, warn_of_trained_images
from mmreid_ext.engine.settings.idle_settings import check_run, length_of
from mmreid_ext.engine.settings.loader_settings import rank_settings
from mmreid_ext.errors import DivergenceError, UserError
from mmreid_ext.models.losses import CenterLoss
from mmreid_ext.registry import LOOPS

from .resumable_loop import ResumableLoop
from .training_steps import TrainingSteps, shared_seed
from .validation_steps import log_validations_by_iteration


@LOOPS.register_module()
class ReIDTrainLoop(ResumableLoop, IterBasedTrainLoop):
    """MMEngine's iteration-based loop with eight additions.

    * A resumed run continues with the batch that would have come next: the sampler is told where to
      start (``set_start``), where MMEngine would load and discard all earlier batches.
    * A validation that was due when the checkpoint was written, and had not run, is made up for:
      :class:`ResumableLoop`. Schedules that read metrics (``ReduceOnPlateauLR``) take each step
      once.
    * A loss that isn't finite stops the run before a checkpoint can be written of it.
    * The number of classes is compared with the data set before the first step.
    * The processes that load images end with the training, not at some later garbage collection.
    * A global batch (``batch_size_is_global``) is shared out over the ranks.
    * Layers that draw random numbers draw them by (seed, iteration) for the global batch, and
      weights that the losses leave unused are allowed on several ranks: :class:`TrainingSteps`.
    * Validations are logged at their iteration, not at epoch 0.

    Args: those of :class:`mmengine.runner.IterBasedTrainLoop`.
    """

    shares_batches = True
    _epoch_is_over = False

    def __init__(self, runner, dataloader, max_iters: int, **kwargs) -> None:
        self._check_settings(runner, dataloader, max_iters, kwargs)
        super().__init__(runner, of_this_rank(runner, dataloader), max_iters, **kwargs)
        self._seed_at_start = shared_seed(runner)
        check_num_classes(self._module, self.dataloader.dataset)
        self._steps = TrainingSteps(runner)

    def _check_settings(self, runner, dataloader, max_iters: int, options: dict) -> None:
        check_run(runner, dataloader, length_of("max_iters", max_iters, options))

    def run(self):
        """Train, from the first iteration or from the one that a checkpoint restored."""
        try:
            return self._run()
        finally:
            self.stop_loading()

    def _run(self):
        check_validation(self.runner)
        warn_of_trained_images(self.dataloader.dataset, self.runner.val_loop)
        log_validations_by_iteration(self.runner)
        self.runner.call_hook("before_train")
        self.runner.call_hook("before_train_epoch")
        if self._iter > 0:
            self.resume_data()
            self._decide_current_val_interval()
            self.make_up_validation(self._iter, self._max_iters)
        while self._iter < self._max_iters and not self.stop_training:
            self.runner.model.train()
            self.run_iter(next(self.dataloader_iterator))
            self._decide_current_val_interval()
            self.validate_if_due(self._iter, self._max_iters)
        if not self._epoch_is_over:
            self.runner.call_hook("after_train_epoch")
        self.runner.call_hook("after_train")
        return self.runner.model

    def stop_loading(self) -> None:
        """End the processes that load training images."""
        self.dataloader_iterator = None
        stop_workers(self.dataloader)

    def resume_data(self) -> None:
        """Go on with the batch that the interrupted run would have taken next."""
        self.take_restored_seed(self.dataloader.sampler)
        self.dataloader_iterator = start_at(self.dataloader, self._iter)

    def restore_progress(self, record: Mapping[str, Any] | None) -> None:
        """Take over what a checkpoint says, after it was loaded."""
        super().restore_progress(record)
        # The whole run is one epoch. A checkpoint of its end was written when its hooks had run.
        self._epoch_is_over = self._epoch > 0
        self._epoch = 0

    def train_iter(self, data_batch: dict) -> Mapping[str, Tensor | float]:
        """Update the model once and return what is to be logged."""
        return self.runner.model.train_step(data_batch, optim_wrapper=self.runner.optim_wrapper)

    def check_outputs(self, outputs: Mapping[str, float]) -> None:
        """Stop where the outputs of a step say that the training has diverged."""
        stop_if_not_finite(outputs, self._iter, self.runner.work_dir)

    def run_iter(self, data_batch: dict) -> None:
        """Run the hooks around :meth:`train_iter`.

        Raises:
            FloatingPointError: If a logged loss is NaN or infinite.
        """
        hook = self.runner.call_hook
        self.validated = self._epoch_is_over = False
        hook("before_train_iter", batch_idx=self._iter, data_batch=data_batch)
        with self._steps.step(self._iter, data_batch, self.dataloader.sampler):
            outputs = self.train_iter(data_batch)
        outputs = average_over_ranks(outputs)
        self.check_outputs(outputs)
        hook("after_train_iter", batch_idx=self._iter, data_batch=data_batch, outputs=outputs)
        self._iter += 1


def of_this_rank(
    runner: Runner, dataloader: dict | DataLoader, name: str = "train_dataloader"
) -> dict | DataLoader:
    """Return the settings of a training loader for this rank; see :func:`rank_settings`."""
    is_global = bool(runner.cfg.get("batch_size_is_global"))
    loader = rank_settings(dataloader, is_global, get_world_size(), name)
    if isinstance(loader, dict) and isinstance(loader.get("sampler"), dict):
        # With diff_rank_seed MMEngine gives samplers no seed: they would draw one for each run.
        loader["sampler"] = {"seed": shared_seed(runner), **loader["sampler"]}
    return loader


def check_num_classes(model, dataset) -> None:
    """Compare the classifier with the training set, where both tell their number of classes.

    Raises:
        ValueError: If they differ, or if data sets are strung together whose labels would merge.
    """
    found = getattr(unwrapped(dataset), "num_classes", None)
    built = getattr(getattr(model, "head", None), "num_classes", None)
    if found is not None and built is not None and found != built:
        raise UserError(
            f"The classifier has {built} classes, the training set {found} identities: "
            f"set `model.head.num_classes={found}` (in the configuration or by --cfg-options)."
        )
    for name, module in model.named_modules():
        if isinstance(module, CenterLoss) and found not in (None, len(module.centers)):
            raise UserError(
                f"The centre loss has {len(module.centers)} centres, the training set {found} "
                f"identities: set `model.{name}.num_classes={found}`."
            )


def start_at(dataloader, batches: int) -> _InfiniteDataloaderIterator:
    """Iterate over ``dataloader`` from its ``batches``-th batch on, without loading earlier ones.

    Samplers without ``set_start`` (not ours) are advanced as MMEngine does it, by loading.
    """
    seekable = hasattr(dataloader.sampler, "set_start")
    if seekable:
        dataloader.sampler.set_start(batches)
    iterator = _InfiniteDataloaderIterator(dataloader)
    for _ in range(0 if seekable else batches):
        next(iterator)
    return iterator


def stop_workers(dataloader: DataLoader) -> None:
    """End the processes that a loader keeps between its epochs.

    The garbage collector takes away the pipes to them first, and then waits five seconds for each.
    """
    dataloader._iterator = None


@torch.no_grad()
def average_over_ranks(outputs: Mapping[str, Tensor | float]) -> dict[str, float]:
    """Turn the terms of this rank's images into those of the global batch, as plain numbers."""
    names = [name for name, value in outputs.items() if isinstance(value, Tensor)]
    if not names:
        return dict(outputs)
    stacked = torch.stack([outputs[name].detach().float() for name in names])
    (mean,) = mean_over_ranks([stacked])
    return {**outputs, **dict(zip(names, mean.tolist(), strict=True))}


def stop_if_not_finite(outputs: Mapping[str, float], iteration: int, work_dir: str = "") -> None:
    """Raise FloatingPointError naming every loss term if one of them isn't finite.

    Args:
        outputs: What a step returned, as plain numbers.
        iteration: The 0-based iteration.
        work_dir: Folder of the run, for the message.
    """
    losses = {name: value for name, value in outputs.items() if "loss" in name}
    if all(math.isfinite(value) for value in losses.values()):
        return
    terms = ", ".join(f"{name}={value:.6g}" for name, value in losses.items())
    raise DivergenceError(
        f"Loss is not finite at iteration {iteration + 1}: {terms}. {what_is_left(work_dir)}"
    )
