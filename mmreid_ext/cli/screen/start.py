"""Say what a run is about to do, in at most a dozen lines."""

from __future__ import annotations

from argparse import Namespace
from pathlib import Path

from mmengine.hooks import Hook
from mmengine.runner import Runner

from mmreid_ext.version import __version__

from .batches import batch_sizes
from .data_lines import test_lines, train_line
from .model_lines import device_line, model_line, recipe_line
from .progress_hook import counts_epochs


class StartHook(Hook):
    """Log data, model, recipe, steps, devices and the place of the log, before the first step.

    Args:
        args: Arguments of the tool.
    """

    priority = "VERY_LOW"

    def __init__(self, args: Namespace) -> None:
        self.args = args

    def before_train(self, runner: Runner) -> None:
        """Describe the training."""
        loop = runner.train_loop
        loaders = [loop.dataloader, getattr(runner.val_loop, "dataloader", None)]
        lines = [
            ("training", f"{Path(self.args.config).name}, mmreid_ext {__version__}"),
            ("train", train_line(loop.dataloader.dataset)),
            *(("test", line) for line in test_lines(loaders[1])),
            ("model", model_line(runner)),
            ("recipe", recipe_line(runner)),
            ("steps", steps_line(runner)),
            ("device", device_line(runner)),
            ("log", log_file_of(runner)),
        ]
        self._log(runner, lines)

    def before_test(self, runner: Runner) -> None:
        """Describe the test."""
        loader = runner.test_loop.dataloader
        lines = [
            ("testing", f"{self.args.checkpoint}, mmreid_ext {__version__}"),
            *(("test", line) for line in test_lines(loader)),
            ("model", model_line(runner)),
            ("device", device_line(runner)),
            ("log", log_file_of(runner)),
        ]
        self._log(runner, lines)

    def _log(self, runner: Runner, lines: list[tuple[str, str]]) -> None:
        # One message: in the log file it has one time stamp, and columns that fit.
        runner.logger.info("\n%s", "\n".join(f"{name:<9}{text}" for name, text in lines if text))


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
        text += f", validation every {loop.val_interval:,}"
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
