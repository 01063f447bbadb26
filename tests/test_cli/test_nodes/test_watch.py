"""The watch of this process."""

import pytest

from mmreid_ext.cli.nodes import watch
from mmreid_ext.cli.nodes.hub import Hub
from mmreid_ext.errors import UserError


def test_start_and_stop():
    hub = Hub.open("127.0.0.1", 1)
    started = watch.start(0, ["a"], hub.place, hub, lambda loss: None)
    assert watch.current() is started
    watch.stop()
    assert watch.current() is None and started.loss is None
    assert not started._thread.is_alive()
    watch.stop()  # nothing to stop


def test_seconds_of_silence():
    assert watch.seconds_of_silence({}) == 30
    assert watch.seconds_of_silence({"MMREID_SILENCE_SECONDS": "0"}) == 0
    assert watch.seconds_of_silence({"MMREID_SILENCE_SECONDS": "90"}) == 90
    for text in ("1", "-5", "x", "nan", "inf"):
        with pytest.raises(UserError, match=f"MMREID_SILENCE_SECONDS={text}: expected at least 3"):
            watch.seconds_of_silence({"MMREID_SILENCE_SECONDS": text})
