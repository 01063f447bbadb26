"""Warnings about checkpoints reach somebody."""

import logging

import pytest
from mmengine.logging import MMLogger

from mmreid_ext.checkpoint import warning


class Said(logging.Handler):
    """Keep what a log has been told."""

    def __init__(self, level):
        super().__init__(level)
        self.texts = []

    def emit(self, record):
        self.texts.append(record.getMessage())


@pytest.fixture
def handlers():
    """Handlers of the current log, put back afterwards."""
    logger = MMLogger.get_current_instance()
    before = list(logger.handlers)
    logger.handlers.clear()
    yield logger.handlers
    logger.handlers[:] = before


def test_a_log_that_shows_warnings_gets_them(handlers, recwarn):
    handlers.append(Said(logging.INFO))
    warning.warn("The file moved.")
    assert handlers[0].texts == ["The file moved."] and not recwarn.list


def test_python_warns_where_the_log_would_be_silent(handlers):
    handlers.append(Said(logging.ERROR))
    with pytest.warns(UserWarning, match="The file moved"):
        warning.warn("The file moved.")
    assert handlers[0].texts == []


def test_one_rank_speaks(handlers, monkeypatch, recwarn):
    monkeypatch.setattr(warning, "is_main", lambda: False)
    warning.warn("The file moved.")
    assert not recwarn.list
