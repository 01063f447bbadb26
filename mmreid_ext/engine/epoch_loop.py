"""Training in epochs, for recipes whose schedules are written in them."""

from __future__ import annotations

from mmengine.runner.loops import EpochBasedTrainLoop

from mmreid_ext.registry import LOOPS

from .evaluation_check import check_validation
from .idle_settings import check_run, length_of
from .train_loop import (
    average_over_ranks,
    check_num_classes,
    of_this_rank,
    stop_if_not_finite,
    stop_workers,
)
from .training_steps import TrainingSteps, shared_seed


@LOOPS.register_module()
class ReIDEpochTrainLoop(EpochBasedTrainLoop):
    """MMEngine's epoch-based loop with the additions of :class:`ReIDTrainLoop`.

    An epoch is ``iterations_per_epoch`` of the sampler. A run resumed after epoch n continues with
    the batch that would have come next; a loss that isn't finite stops the run; the number of
    classes is compared with the data set before the first step; the processes that load images end
    with the training.

    Args: those of :class:`mmengine.runner.EpochBasedTrainLoop`.
    """

    shares_batches = True

    def __init__(self, runner, dataloader, max_epochs: int, **kwargs) -> None:
        check_run(runner, dataloader, length_of("max_epochs", max_epochs, kwargs))
        super().__init__(runner, of_this_rank(runner, dataloader), max_epochs, **kwargs)
        self._seed_at_start = shared_seed(runner)
        self._steps = TrainingSteps(runner)
        sampler = self.dataloader.sampler
        if hasattr(sampler, "infinite"):
            sampler.infinite = False  # `set_epoch`, called before each epoch, then sets the start
        check_num_classes(getattr(runner.model, "module", runner.model), self.dataloader.dataset)

    def run(self):
        """Train, from the first epoch or from the one after the one that a checkpoint restored."""
        check_validation(self.runner)
        try:
            return super().run()
        finally:
            stop_workers(self.dataloader)

    def run_epoch(self) -> None:
        """Train for one epoch."""
        sampler = self.dataloader.sampler
        if getattr(sampler, "seed", None) == self._seed_at_start:
            # A checkpoint's seed replaced that of a run without a seed of its own.
            sampler.seed = shared_seed(self.runner)
        if hasattr(sampler, "set_epoch"):
            sampler.set_epoch(self._epoch)
        super().run_epoch()

    def run_iter(self, idx: int, data_batch: dict) -> None:
        """Update the model once, with the hooks around it.

        Raises:
            FloatingPointError: If a logged loss is NaN or infinite.
        """
        hook, runner = self.runner.call_hook, self.runner
        hook("before_train_iter", batch_idx=idx, data_batch=data_batch)
        with self._steps.step(self._iter, data_batch, self.dataloader.sampler):
            outputs = runner.model.train_step(data_batch, optim_wrapper=runner.optim_wrapper)
        outputs = average_over_ranks(outputs)
        stop_if_not_finite(outputs, self._iter)
        hook("after_train_iter", batch_idx=idx, data_batch=data_batch, outputs=outputs)
        self._iter += 1
