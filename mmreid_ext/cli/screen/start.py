"""Say what a run is about to do, in at most a dozen lines."""

from __future__ import annotations

from argparse import Namespace
from pathlib import Path

from mmengine.hooks import Hook
from mmengine.runner import BaseLoop, Runner

from mmreid_ext.datasets.checks.set_counts import count_set
from mmreid_ext.datasets.record_dataset import RecordDataset
from mmreid_ext.datasets.wrappers import unwrapped
from mmreid_ext.shorten import several
from mmreid_ext.version import __version__

from .batches import batch_sizes
from .model_lines import device_line, model_line, recipe_line
from .progress_hook import counts_epochs

PACKAGE = f"mmreid_ext {__version__}"


class StartHook(Hook):
    """Log data, model, recipe, steps, devices and the place of the log, before the first step.

    Args:
        args: Arguments of the tool.
    """

    priority = "VERY_LOW"

    def __init__(self, args: Namespace) -> None:
        self.args = args

    def before_run(self, runner: Runner) -> None:
        """Name the run; the loop then says what its data sets hold."""
        if isinstance(runner._train_loop, BaseLoop):
            self._log(runner, ("training", f"{Path(self.args.config).name}, {PACKAGE}"))

    def before_train(self, runner: Runner) -> None:
        """Describe the training."""
        dataset = unwrapped(runner.train_loop.dataloader.dataset)
        if not isinstance(dataset, RecordDataset):  # of those the loop has spoken
            self._log(runner, ("data", several(len(dataset), "image")))
        self._log(
            runner,
            ("model", model_line(runner)),
            ("recipe", recipe_line(runner)),
            ("steps", steps_line(runner)),
            ("device", device_line(runner)),
            ("log", log_file_of(runner)),
        )

    def before_test(self, runner: Runner) -> None:
        """Describe the test."""
        dataset = unwrapped(runner.test_loop.dataloader.dataset)
        is_ours = isinstance(dataset, RecordDataset)
        self._log(
            runner,
            ("testing", f"{shown_path(self.args.checkpoint)}, {PACKAGE}"),
            ("data", count_set(dataset).line if is_ours else several(len(dataset), "image")),
            ("model", model_line(runner)),
            ("device", device_line(runner)),
            ("log", log_file_of(runner)),
        )

    def _log(self, runner: Runner, *lines: tuple[str, str]) -> None:
        for name, text in lines:
            runner.logger.info(f"{name:<9}{text}")


def steps_line(runner: Runner) -> str:
    """Describe the length of a training, its batches and its validations."""
    loop = runner.train_loop
    by_epoch = counts_epochs(loop)
    length = f"{loop.max_iters:,} iterations"
    if by_epoch:
        length = f"{loop.max_epochs:,} epochs of {len(loop.dataloader):,} iterations"
    sizes = [str(size * runner.world_size) for size in batch_sizes(loop)]
    text = f"{length}, {' + '.join(sizes)} images each" if sizes else length
    if runner.val_loop is not None:
        whole = loop.max_epochs if by_epoch else loop.max_iters
        often = f"every {loop.val_interval:,}" if loop.val_interval < whole else "at the end"
        text += f", validation {often}"
    if runner.iter > 0:
        text += f"; resumed after iteration {runner.iter:,}"
    return text


def log_file_of(runner: Runner) -> str:
    """Return the path of the log file, from here where that is shorter."""
    return shown_path(runner.logger.log_file or "")


def shown_path(path: str | Path) -> str:
    """Return a path relative to the present folder, if it lies in there."""
    try:
        return str(Path(path).relative_to(Path.cwd()))
    except ValueError:
        return str(path)
