"""Jobs run one after the other, and what they raise comes back once."""

import threading

import pytest

from mmreid_ext.checkpoint.saving.writer import Writer


def test_second_job_waits_for_the_first():
    writer, gate, done = Writer(), threading.Event(), []
    writer.start(lambda: (gate.wait(20), done.append(1)))
    assert writer.busy and not done
    threading.Timer(0.1, gate.set).start()
    writer.start(lambda: done.append(2))
    writer.wait()
    assert done == [1, 2] and not writer.busy


@pytest.mark.parametrize("start", [Writer.start, Writer.run_here])
def test_error_is_raised_once(start):
    def fail():
        raise OSError("no")

    writer, done = Writer(), []
    start(writer, fail)
    with pytest.raises(OSError, match="no"):
        start(writer, lambda: done.append(1))
    assert not done
    writer.wait()
    start(writer, lambda: done.append(2))
    writer.wait()
    assert done == [2]
