"""Set up what holds for the tests of every room."""

import gc
import os

import pytest

# Ranks that the tests start share few cores with other tests: they may need minutes to be there.
os.environ.setdefault("MMREID_JOIN_SECONDS", "600")


@pytest.fixture(autouse=True)
def _the_environment_stays():
    """Put back what a test changed: ranks that one announces would be those of all after it."""
    before = dict(os.environ)
    yield
    if dict(os.environ) != before:
        os.environ.clear()
        os.environ.update(before)


@pytest.fixture(autouse=True, scope="module")
def _little_to_collect() -> None:
    """Let the garbage collector pass over what the imports and earlier tests left alive.

    MMEngine collects garbage whenever a data set is read. With PyTorch and MMPretrain in memory one
    collection takes a quarter of a second, and the tests read thousands of small data sets.
    """
    gc.collect()
    gc.freeze()
