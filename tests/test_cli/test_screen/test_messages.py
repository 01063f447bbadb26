"""Which messages are shown: ours and all errors; the log file has every one."""

import io
import logging
import warnings

import pytest
from mmengine.logging import MMLogger, print_log

from mmreid_ext.cli.screen.messages import Messages, ScreenHandler, is_of_host
from mmreid_ext.cli.screen.terminal import Terminal


@pytest.fixture
def shown(tmp_path):
    """Text of the screen so far, with messages of MMEngine's loggers going through it."""
    file = io.StringIO()
    messages = Messages(Terminal(file, {}), logging.INFO)
    messages.start()
    yield lambda: file.getvalue()
    messages.stop()


def of(module, code, **names):
    """Run code as if it stood in another module."""
    exec(code, dict(__name__=module, print_log=print_log, warnings=warnings, **names))


LOG = "print_log({!r}, logger='current', level={})"


def test_ours_are_shown_and_those_of_hosts_are_not(shown):
    of("mmreid_ext.engine.settings", LOG.format("milestones lie behind the end", 30))
    of("mmreid_ext.evaluation.reid_metric", LOG.format("a table", 20))
    of("users_own_module", LOG.format("my warning", 30))
    of("mmengine.fileio", LOG.format("FileClient will be deprecated", 30))
    of("mmengine.runner.runner", LOG.format("System environment", 20))
    assert shown().splitlines() == [
        "warning: milestones lie behind the end",
        "a table",
        "warning: my warning",
    ]


def test_a_warning_is_shown_once(shown):
    for _ in range(2):
        of("mmreid_ext.models", LOG.format("the same", 30))
    assert shown().count("the same") == 1


def test_errors_of_hosts_and_missing_weights_are_shown(shown):
    of("mmengine.hooks", LOG.format("it broke", 40))
    of("mmengine.runner.checkpoint", LOG.format("Loads checkpoint by local backend", 20))
    of("mmengine.runner.checkpoint", LOG.format("unexpected key in state_dict", 30))
    assert shown().splitlines() == ["error: it broke", "warning: unexpected key in state_dict"]


def test_python_warnings_by_the_module_that_warns(shown):
    with warnings.catch_warnings():
        warnings.simplefilter("always")
        of("mmreid_ext.cli.config_keys", "warnings.warn('max_iters has no effect', stacklevel=2)")
        of("torch.nn.modules", "warnings.warn('deprecated', FutureWarning)")
    assert shown() == "warning: max_iters has no effect\n"


def test_the_log_file_has_everything_said_before_it_was_there_too(tmp_path):
    messages = Messages(Terminal(io.StringIO(), {}), logging.INFO)
    messages.start()
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("always")
            of("mmengine.fileio", LOG.format("early", 30))
            of("mmengine.fileio", LOG.format("detail", 10))
            path = tmp_path / "run.log"
            logger = MMLogger(f"run {path}", log_file=str(path), log_level="INFO")
            messages.take_over(logger)
            logger.info("late")
    finally:
        messages.stop()
    said = path.read_text()
    assert said.index("early") < said.index("late") and "detail" not in said


def test_everything_is_given_back():
    logger = MMLogger.get_current_instance()
    handlers, show = list(logger.handlers), warnings.showwarning
    messages = Messages(Terminal(io.StringIO(), {}), logging.INFO)
    messages.start()
    assert any(isinstance(handler, ScreenHandler) for handler in logger.handlers)
    messages.stop()
    assert logger.handlers == handlers and warnings.showwarning is show


def test_hosts_are_whole_names():
    assert is_of_host("torch.nn") and not is_of_host("torchreid_of_a_user")
