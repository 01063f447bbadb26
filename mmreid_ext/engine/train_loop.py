"""Iteration-based training that resumes exactly and stops on the first non-finite loss."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from mmengine.runner import Runner
from mmengine.runner.loops import IterBasedTrainLoop
from torch import Tensor, nn
from torch.utils.data import DataLoader

from mmreid_ext.engine.settings.class_count import check_num_classes
from mmreid_ext.engine.settings.evaluation_check import (
    check_data_sets,
    check_validation,
    other_test_set,
)
from mmreid_ext.engine.settings.idle_settings import check_run, length_of
from mmreid_ext.registry import LOOPS

from .loading import of_this_rank, start_at, stop_workers
from .resumable_loop import ResumableLoop
from .step_outputs import average_over_ranks, stop_if_not_finite
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

    dataloader_iterator: Iterator[dict]
    shares_batches = True
    _epoch_is_over = False

    def __init__(
        self, runner: Runner, dataloader: dict | DataLoader, max_iters: int, **kwargs: Any
    ) -> None:
        self._check_settings(runner, dataloader, max_iters, kwargs)
        super().__init__(runner, of_this_rank(runner, dataloader), max_iters, **kwargs)
        self._seed_at_start = shared_seed(runner)
        check_num_classes(self._module, self.dataloader.dataset)
        self._steps = TrainingSteps(runner)

    def _check_settings(
        self, runner: Runner, dataloader: dict | DataLoader, max_iters: int, options: dict
    ) -> None:
        check_run(runner, dataloader, length_of("max_iters", max_iters, options))

    def run(self) -> nn.Module:
        """Train, from the first iteration or from the one that a checkpoint restored."""
        try:
            return self._run()
        finally:
            self.stop_loading()

    def _run(self) -> nn.Module:
        check_validation(self.runner)
        other = other_test_set(self.runner)
        check_data_sets(self.dataloader.dataset, self.runner.val_loop, other)
        log_validations_by_iteration(self.runner)
        self.runner.call_hook("before_train")
        self.runner.call_hook("before_train_epoch")
        if self._iter > 0:
            self.resume_data()
            self._decide_current_val_interval()
            self.make_up_validation(self._iter, self._max_iters)
        while self._iter < self._max_iters and not self.stop_training:
            self.runner.model.train()
            self.run_iter(self.next_batch())
            self._decide_current_val_interval()
            self.validate_if_due(self._iter, self._max_iters)
        if not self._epoch_is_over:
            self.runner.call_hook("after_train_epoch")
        self.runner.call_hook("after_train")
        return self.runner.model

    def next_batch(self) -> dict:
        """Return the batch of the next step."""
        return next(self.dataloader_iterator)

    def stop_loading(self) -> None:
        """End the processes that load training images."""
        self.dataloader_iterator = iter(())
        stop_workers(self.dataloader)

    def resume_data(self) -> None:
        """Continue with the batch that the interrupted run would have taken next."""
        self.take_restored_seed(self.dataloader.sampler)
        self.dataloader_iterator = start_at(self.dataloader, self._iter)

    def restore_progress(self, record: Mapping[str, Any] | None) -> None:
        """Take over the progress that a loaded checkpoint records."""
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
        self.validated = self._epoch_is_over = False
        self.runner.call_hook("before_train_iter", batch_idx=self._iter, data_batch=data_batch)
        with self._steps.step(self._iter, data_batch, self.dataloader.sampler):
            outputs = self.train_iter(data_batch)
        outputs = average_over_ranks(outputs)
        self.check_outputs(outputs)
        self.finish_iter(self._iter, data_batch, outputs)
