"""Give a resumed run of either training loop every batch and every validation exactly once."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from mmengine.runner import BaseLoop
from torch import nn

from mmreid_ext.errors import UserError

from .network import network_of
from .training_steps import shared_seed


class ResumableLoop(BaseLoop):
    """Base of our training loops: counts validations, restores the order of batches.

    MMEngine writes a checkpoint before the validation of its iteration, and again inside it if the
    validation gives a new best. A checkpoint tells which it is. A resumed run makes up for the
    validation in the first case only.

    Attributes:
        validated: Whether the validation of this moment has begun. In every checkpoint.
    """

    _epoch: int
    _iter: int
    _in_hooks_after = False
    validated = False

    @property
    def steps_done(self) -> int:
        """Finished iterations: between two of them, and in hooks after one."""
        return self._iter + self._in_hooks_after

    def finish_iter(self, idx: int, data_batch: Any, outputs: Mapping[str, float]) -> None:
        """Run the hooks after a step, and count it.

        Args:
            idx: Number of the batch, as hooks get it.
            data_batch: The batch.
            outputs: What the step gave to be logged.
        """
        self._in_hooks_after = True
        self.runner.call_hook(
            "after_train_iter", batch_idx=idx, data_batch=data_batch, outputs=outputs
        )
        self._in_hooks_after = False
        self._iter += 1

    @property
    def _module(self) -> nn.Module:
        """The network without its distributed wrapper."""
        return network_of(self.runner.model)

    def run_settings(self) -> dict[str, Any]:
        """Return the settings of the loop that a resumed run must share with its first part."""
        if not self._schedule_reads_validation():
            return {}
        return dict(val_begin=self.val_begin, val_interval=self.val_interval)

    def restore_progress(self, record: Mapping[str, Any] | None) -> None:
        """Take over the progress that a loaded checkpoint records.

        Args:
            record: See :func:`~mmreid_ext.checkpoint.resume.run_record.describe_run`. None for
                older files: the validation is repeated only if a schedule might have missed it.
        """
        if record is None:
            self.validated = not self._schedule_reads_validation()
        else:
            self.validated = record["validated"]

    def validate_if_due(self, done: int, whole: int) -> None:
        """Validate if it is time, unless that was done.

        Args:
            done: Finished iterations, or epochs in a loop that counts these.
            whole: Length of the run.
        """
        if self.runner.val_loop is None or self.validated or done < max(self.val_begin, 1):
            return
        if done % self.val_interval == 0 or done == whole:
            self.validated = True  # first: the checkpoint of a new best is written inside
            self.runner.val_loop.run()

    def make_up_validation(self, done: int, whole: int) -> None:
        """Run the validation that the interrupted run was about to run, if it was.

        Args: those of :meth:`validate_if_due`.

        Raises:
            UserError: If a schedule has read the validation at the end of the former run, and this
                one is longer and has no validation there.
        """
        regular = done >= self.val_begin and done % self.val_interval == 0
        if self.validated and not regular and done < whole and self._schedule_reads_validation():
            raise UserError(
                f"resume: a schedule has read the validation at the end of the shorter run "
                f"({done}), where a run of {whole} has none (val_interval={self.val_interval}): "
                "resume from an earlier checkpoint, or start a new run by `load_from`."
            )
        self.tell_last_step()
        hub = self.runner.message_hub
        hub.update_info("epoch", max(self._epoch - 1, 0))
        self.validate_if_due(done, whole)
        hub.update_info("epoch", self._epoch)

    def tell_last_step(self) -> None:
        """Let validations find the last step in the message hub, as in a run without a break."""
        self.runner.message_hub.update_info("iter", self._iter - 1)

    def take_restored_seed(self, sampler: Any) -> None:
        """Give a sampler the order of the run that is continued.

        A run without a seed takes a random one. The checkpoint's seed replaced it after the
        sampler was built.
        """
        if getattr(sampler, "seed", None) == self._seed_at_start:
            sampler.seed = shared_seed(self.runner)

    def _schedule_reads_validation(self) -> bool:
        schedules = self.runner.param_schedulers or []
        if isinstance(schedules, dict):
            schedules = [one for several in schedules.values() for one in several]
        return any(getattr(one, "need_val_args", False) for one in schedules)
