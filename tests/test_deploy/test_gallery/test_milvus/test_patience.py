"""A function of another package is waited for, and not for ever."""

import threading

import pytest

from mmreid_ext.deploy.gallery.milvus.patience import NoAnswerError, within


def test_what_a_function_returns_and_raises():
    assert within(30, lambda: None) is None and within(30, lambda: 5) == 5
    with pytest.raises(KeyError, match="lost"):
        within(30, lambda: {}["lost"])


def test_a_function_that_never_returns():
    ended = threading.Event()
    with pytest.raises(NoAnswerError, match=r"no answer within 0\.05 s"):
        within(0.05, lambda: ended.wait(60))
    [waiting] = [one for one in threading.enumerate() if one.name == "gallery-call"]
    assert waiting.daemon  # it holds up no exit
    ended.set()
    waiting.join(30)
