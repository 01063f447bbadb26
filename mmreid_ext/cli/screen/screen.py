"""Run a training or a test with a quiet screen and a complete log file."""

from __future__ import annotations

import logging
import signal
import sys
import traceback
from argparse import Namespace
from types import TracebackType
from typing import Any

from mmengine.config import Config
from mmengine.logging import MMLogger
from mmengine.runner import LogProcessor, Runner

from mmreid_ext.cli.errors import user_message
from mmreid_ext.cli.nodes import watch
from mmreid_ext.cli.nodes.same_data import SameDataHook
from mmreid_ext.cli.nodes.step_times import StepTimesHook
from mmreid_ext.cli.training.stopping import stop_on
from mmreid_ext.cli.training.tracking_hook import TrackingHook, trackers_of
from mmreid_ext.distributed import is_distributed
from mmreid_ext.errors import RunStopped

from .early import speaks
from .ending import ending, how_to_resume
from .log_lines import ShortLines
from .messages import Messages
from .progress_hook import ProgressHook
from .start import StartHook
from .terminal import Terminal


class Screen:
    """What a user sees of a run, inside a ``with`` block.

    The start takes a dozen lines, progress takes one, and warnings of other packages are in the log
    file only. An error is shown by :func:`mmreid_ext.cli.errors.run_tool`; here it is written into
    the log file.

    Args:
        args: Arguments of the tool; ``verbose`` leaves MMEngine's output as it is.
    """

    def __init__(self, args: Namespace) -> None:
        self.args = args
        self.is_quiet = not args.verbose
        self.speaks = speaks(args)
        self.terminal = Terminal()
        self.progress = ProgressHook(self.terminal)
        self.messages = Messages(self.terminal, logging.INFO if self.speaks else logging.ERROR)
        self.runner: Runner | None = None
        self._on_interrupt: Any = None

    def __enter__(self) -> Screen:
        if self.is_quiet:
            self.messages.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.terminal.clear()
        if error is not None and self.runner is not None and self.is_quiet:
            self.messages.to_log_file(error, text_of(error))
        if self.is_quiet:
            self.messages.stop()
        if self._on_interrupt is not None:
            signal.signal(signal.SIGINT, self._on_interrupt)

    def build_runner(self, cfg: Config) -> Runner:
        """Build the runner of a configuration, with our hooks beside those of the configuration."""
        if not self.is_quiet:
            self.runner = Runner.from_cfg(cfg)
            return self.runner

        class ThisRunner(_QuietRunner):
            screen = self

        self.runner = ThisRunner.from_cfg(cfg)
        if self.speaks and self.runner.logger.isEnabledFor(logging.INFO):
            self.runner.register_hook(StartHook(self.args))
            self.runner.register_hook(self.progress)
        return self.runner

    def train(self, cfg: Config) -> None:
        """Train, and say where everything is when it is over or interrupted.

        Raises:
            KeyboardInterrupt: With a sentence how to resume.
            RunStopped: The same, where the run was asked to stop.
        """
        runner = self.build_runner(cfg)
        if is_distributed():
            runner.register_hook(SameDataHook())
            if (seen := watch.current()) is not None:
                runner.register_hook(StepTimesHook(seen))
        if self.speaks and trackers_of(runner):
            runner.register_hook(TrackingHook())
        if getattr(self.args, "stop_request", None) is not None:
            stop_on(self.args.stop_request, runner)
        try:
            runner.train()
        except RunStopped as stop:
            raise RunStopped(how_to_resume(runner, sys.argv[1:], str(stop))) from None
        except KeyboardInterrupt as error:
            # torchrun passes the signal on that the terminal has sent to everybody already.
            self._on_interrupt = signal.signal(signal.SIGINT, signal.SIG_IGN)
            raise KeyboardInterrupt(how_to_resume(runner, sys.argv[1:])) from error
        self.terminal.clear()
        if self.is_quiet:
            self.say(ending(runner, self.args.config))

    def say(self, text: str) -> None:
        """Show a line and write it into the log file, on the first rank."""
        if self.speaks and self.runner is not None:
            self.runner.logger.info(text)


class _QuietRunner(Runner):
    """MMEngine's runner, whose messages go through a screen."""

    screen: Screen

    def build_logger(self, *args: Any, **kwargs: Any) -> MMLogger:
        logger = super().build_logger(*args, **kwargs)
        self.screen.messages.take_over(logger)
        return logger

    def build_log_processor(self, log_processor: LogProcessor | dict) -> ShortLines:
        return ShortLines(super().build_log_processor(log_processor), self.screen.progress)


def text_of(error: BaseException) -> str:
    """Return the message of an error that the user can mend, the traceback of another."""
    if isinstance(error, (KeyboardInterrupt, RunStopped)):
        return str(error) or "interrupted"
    message = user_message(error) if isinstance(error, Exception) else None
    return message or "".join(traceback.format_exception(error)).rstrip()
