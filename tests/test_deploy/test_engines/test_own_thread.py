"""A function runs in a thread that ends; what it returns and raises arrives."""

import threading

import pytest

from mmreid_ext.deploy.engines.own_thread import call_in_own_thread


def test_it_runs_in_another_thread_that_has_ended():
    thread = call_in_own_thread(threading.current_thread)
    assert thread is not threading.current_thread() and not thread.is_alive()


def test_an_error_arrives():
    with pytest.raises(KeyError, match="nothing"):
        call_in_own_thread(lambda: {}["nothing"])
