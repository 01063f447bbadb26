"""A rank that ends because of another one names it."""

import subprocess
import sys

import pytest
from helpers.paths import ROOT

from mmreid_ext.cli.nodes import losing, watch
from mmreid_ext.cli.nodes.hub import Loss
from mmreid_ext.errors import RankLostError, UserError


class FakeWatch:
    rank = 1

    def __init__(self, loss=None):
        self.loss, self.closed = loss, []

    def wait_for_loss(self, seconds):
        return self.loss

    def close(self, failed=None):
        self.closed.append(failed)


@pytest.fixture
def seen(monkeypatch):
    found = FakeWatch(Loss(0, "a", "has died"))
    monkeypatch.setattr(watch, "_current", found)
    return found


BROKEN = "[../gloo/transport/tcp/pair.cc:525] Connection closed by peer [10.0.0.1]:4711"


def test_a_broken_connection_is_told_as_the_loss_behind_it(seen):
    with (
        pytest.raises(RankLostError, match="rank 0 on a has died; all ranks stop.*--resume"),
        losing.watched(),
    ):
        raise RuntimeError(BROKEN)
    assert seen.closed == ["lost another rank"] and watch.current() is None


def test_waiting_too_long_for_a_rank_that_lives(seen):
    seen.loss = None
    with (
        pytest.raises(RankLostError, match="all are alive.*raise env_cfg.dist_cfg.timeout"),
        losing.watched(),
    ):
        raise RuntimeError("Timed out waiting 300000ms for recv operation to complete")


def test_own_faults_stay_what_they_are_and_are_told_to_the_others(seen):
    for error, told in (
        (RuntimeError("size mismatch"), "RuntimeError: size mismatch"),
        (UserError("lr=-1: must be positive"), "lr=-1: must be positive"),
        (KeyboardInterrupt(), "interrupted by Ctrl-C"),
        (SystemExit(3), "ended with 3"),
        (SystemExit(75), None),
        (SystemExit(0), None),
    ):
        watch._current = seen
        with pytest.raises(type(error)), losing.watched():
            raise error
        assert seen.closed.pop() == told


def test_an_end_without_fault(seen):
    with losing.watched():
        pass
    assert seen.closed == [None]


def test_without_other_ranks_nothing_is_translated():
    with pytest.raises(RuntimeError, match="Connection closed") as caught, losing.watched():
        raise RuntimeError(BROKEN)
    assert not isinstance(caught.value, RankLostError)


def test_a_rank_that_waits_for_ever_is_ended_by_the_watch():
    program = (
        "import threading, time\n"
        "from mmreid_ext.cli.nodes import losing\n"
        "from mmreid_ext.cli.nodes.hub import Loss\n"
        "losing.GRACE = 0.1\n"
        "loss = Loss(2, 'c', 'has died')\n"
        "threading.Thread(target=losing.end_after, args=(loss,), daemon=True).start()\n"
        "time.sleep(60)\n"
    )
    ended = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, timeout=50, cwd=ROOT
    )
    assert ended.returncode == 1
    assert "error: rank 2 on c has died; all ranks stop" in ended.stderr
