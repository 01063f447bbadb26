"""Set up what holds for the tests of every room."""

import gc


def pytest_collection_finish() -> None:
    """Let the garbage collector pass over what the imports made.

    MMEngine collects garbage whenever a data set is read. With PyTorch and MMPretrain in memory one
    collection takes a quarter of a second, and the tests read thousands of small data sets.
    """
    gc.collect()
    gc.freeze()
