"""Training in epochs, for recipes whose schedules are written in them."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice
from typing import Any

from mmengine.runner import Runner
from mmengine.runner.loops import EpochBasedTrainLoop
from torch import nn
from torch.utils.data import DataLoader

from mmreid_ext.engine.settings.class_count import check_num_classes
from mmreid_ext.engine.settings.evaluation_check import (
    check_data_sets,
    check_validation,
    other_test_set,
)
from mmreid_ext.engine.settings.idle_settings import check_run, length_of
from mmreid_ext.errors import UserError
from mmreid_ext.registry import LOOPS

from .loading import of_this_rank, stop_workers
from .resumable_loop import ResumableLoop
from .step_outputs import average_over_ranks, stop_if_not_finite
from .training_steps import TrainingSteps, shared_seed


@LOOPS.register_module()
class ReIDEpochTrainLoop(ResumableLoop, EpochBasedTrainLoop):
    """MMEngine's epoch-based loop with the additions of :class:`ReIDTrainLoop`.

    An epoch is ``iterations_per_epoch`` of the sampler. A resumed run continues with the batch that
    would have come next, also in the middle of an epoch; a loss that isn't finite stops the
    run; the number of classes is compared with the data set before the first step; the processes
    that load images end with the training.

    Args: those of :class:`mmengine.runner.EpochBasedTrainLoop`.
    """

    shares_batches = True

    def __init__(
        self, runner: Runner, dataloader: dict | DataLoader, max_epochs: int, **kwargs: Any
    ) -> None:
        check_run(runner, dataloader, length_of("max_epochs", max_epochs, kwargs))
        super().__init__(runner, of_this_rank(runner, dataloader), max_epochs, **kwargs)
        self._seed_at_start = shared_seed(runner)
        self._steps = TrainingSteps(runner)
        sampler = self.dataloader.sampler
        if hasattr(sampler, "infinite"):
            sampler.infinite = False  # `set_epoch`, called before each epoch, then sets the start
        check_num_classes(self._module, self.dataloader.dataset)

    def run(self) -> nn.Module:
        """Train, from the first batch or from the one after those that a checkpoint has seen."""
        check_validation(self.runner)
        other = other_test_set(self.runner)
        check_data_sets(self.dataloader.dataset, self.runner.val_loop, other)
        try:
            return self._run()
        finally:
            stop_workers(self.dataloader)

    def _run(self) -> nn.Module:
        self.runner.call_hook("before_train")
        self._decide_current_val_interval()
        if self._iter > 0 and self._batches_done() == 0:
            self.make_up_validation(self._epoch, self._max_epochs)
        while self._epoch < self._max_epochs and not self.stop_training:
            self.run_epoch()
            self._decide_current_val_interval()
            self.validate_if_due(self._epoch, self._max_epochs)
        self.runner.call_hook("after_train")
        return self.runner.model

    def run_epoch(self) -> None:
        """Train for one epoch, or for what is left of it."""
        done = self._batches_done()
        self.take_restored_seed(self.dataloader.sampler)
        if hasattr(self.dataloader.sampler, "set_epoch"):
            self.dataloader.sampler.set_epoch(self._epoch)
        self.runner.call_hook("before_train_epoch")
        self.runner.model.train()
        if done == len(self.dataloader):  # all batches were taken, and the end of the epoch wasn't
            self.tell_last_step()
        else:
            for idx, data_batch in self._batches_from(done):
                self.run_iter(idx, data_batch)
        self.runner.call_hook("after_train_epoch")
        self._epoch += 1

    def _batches_done(self) -> int:
        """Batches of this epoch that a checkpoint's run had taken; 0 between two epochs.

        Raises:
            ValueError: If an epoch of that run had another length.
        """
        length = len(self.dataloader)
        done = self._iter - self._epoch * length
        if not 0 <= done <= length:
            raise UserError(
                f"resume: iteration {self._iter} of the checkpoint "
                f"is not in its epoch {self._epoch + 1}, where an epoch has {length} iterations: "
                "resume with the data and the batch size of the run, "
                "or start a new one by `load_from`."
            )
        return done

    def _batches_from(self, start: int) -> Iterator[tuple[int, Any]]:
        """Number and content of the batches of this epoch, without those before ``start``."""
        loader = self.dataloader
        if start and hasattr(loader.sampler, "set_start"):
            # Hooks at the beginning of an epoch set the sampler to its first batch.
            loader.sampler.set_start(self._epoch * len(loader) + start)
            # A sampler that begins later would end later, too.
            yield from enumerate(islice(loader, len(loader) - start), start)
            return
        for idx, data_batch in enumerate(loader):
            if idx >= start:
                yield idx, data_batch

    def run_iter(self, idx: int, data_batch: dict) -> None:
        """Update the model once, with the hooks around it.

        Raises:
            FloatingPointError: If a logged loss is NaN or infinite.
        """
        runner = self.runner
        self.validated = False
        runner.call_hook("before_train_iter", batch_idx=idx, data_batch=data_batch)
        with self._steps.step(self._iter, data_batch, self.dataloader.sampler):
            outputs = runner.model.train_step(data_batch, optim_wrapper=runner.optim_wrapper)
        outputs = average_over_ranks(outputs)
        stop_if_not_finite(outputs, self._iter, runner.work_dir)
        self.finish_iter(idx, data_batch, outputs)
