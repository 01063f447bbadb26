"""A function runs in a thread of its own, and isn't waited for for ever."""

import threading

import pytest

from mmreid_ext.deploy.own_thread import NoAnswerError, call_in_own_thread


def test_what_a_function_returns_and_raises():
    assert call_in_own_thread(lambda: None) is None and call_in_own_thread(lambda: 5, 30) == 5
    with pytest.raises(KeyError, match="lost"):
        call_in_own_thread(lambda: {}["lost"])


def test_its_thread_has_ended():
    thread = call_in_own_thread(threading.current_thread)
    assert thread is not threading.current_thread() and not thread.is_alive()


def test_a_function_that_never_returns():
    ended = threading.Event()
    with pytest.raises(NoAnswerError, match=r"no answer within 0\.05 s"):
        call_in_own_thread(lambda: ended.wait(60), 0.05)
    [waiting] = [one for one in threading.enumerate() if one.name == "own-thread"]
    assert waiting.daemon  # it holds up no exit
    ended.set()
    waiting.join(30)
