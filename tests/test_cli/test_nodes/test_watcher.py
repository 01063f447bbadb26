"""A rank that is gone is named by all others, and why."""

import os
import re
import socket
import threading
import time

import pytest

from mmreid_ext.cli.nodes import watcher
from mmreid_ext.cli.nodes.hub import Hub
from mmreid_ext.cli.nodes.watcher import Watch

HOSTS = ("a", "b", "c")


class Ranks:
    """Three ranks in one process."""

    def __init__(self, silence=0.0, missing=()):
        self.losses = []
        hub = Hub.open("127.0.0.1", 3)
        self.watches = [
            Watch(rank, HOSTS, hub.place, hub if rank == 0 else None, silence, self.losses.append)
            for rank in range(3)
            if rank not in missing
        ]
        for watch in self.watches:
            watch.start()
        until(lambda: sum(w.rank is not None for w in self.watches[0]._wires) == 2 - len(missing))

    def __getitem__(self, rank):
        return self.watches[rank]

    def die(self, rank):
        """End a rank's connections as the kernel does for a killed process."""
        self[rank]._closing.set()

    def close(self):
        for watch in self.watches:
            watch.close()


def until(condition, seconds=30):
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.02)


@pytest.fixture
def ranks():
    found = Ranks()
    yield found
    found.close()


def test_a_killed_rank_is_named_by_all(ranks):
    ranks.die(2)
    for rank in (0, 1):
        loss = ranks[rank].wait_for_loss(30)
        assert str(loss) == "rank 2 on c has died (killed, or out of memory?)"


def test_rank_0_is_named_too(ranks):
    ranks.die(0)
    for rank in (1, 2):
        assert ranks[rank].wait_for_loss(30).rank == 0


def test_a_rank_that_fails_says_why(ranks):
    ranks[1].close(failed="ValueError: no space")
    for rank in (0, 2):
        loss = ranks[rank].wait_for_loss(30)
        assert str(loss) == "rank 1 on b has stopped: ValueError: no space"


def test_a_rank_that_is_done_is_no_loss(ranks):
    ranks[2].close()
    ranks[0].close()
    ranks[1].close()
    assert ranks.losses == []


def test_silence_is_a_loss_on_both_sides(monkeypatch):
    """As when a cable is pulled: the connection stays, nothing comes."""
    monkeypatch.setattr(watcher, "BEAT", 0.1)
    ranks = Ranks(silence=1.0)
    time.sleep(1.5)
    assert ranks.losses == []
    monkeypatch.setattr(watcher.Wire, "send", lambda self, **message: None)
    until(lambda: len(ranks.losses) == 3)
    assert [loss.rank for loss in ranks.losses].count(0) == 2
    assert str(ranks[1].loss) == "rank 0 on a has given no sign of life for 1 s"
    ranks.close()


def test_ranks_that_all_stood_still_are_no_loss(monkeypatch):
    """As when a run is suspended and goes on: nobody was silent, and nobody could listen."""
    monkeypatch.setattr(watcher, "BEAT", 0.1)
    ranks = Ranks(silence=1.0)
    go_on, standing, look = threading.Event(), [], Watch._look_for_silence

    def stand_still(watch):
        if watch in ranks.watches:  # others are of earlier tests
            standing.append(watch)
            assert go_on.wait(30)
        look(watch)

    monkeypatch.setattr(Watch, "_look_for_silence", stand_still)
    until(lambda: len(standing) == 3)
    monkeypatch.setattr(Watch, "_look_for_silence", look)
    time.sleep(1.5)
    go_on.set()
    time.sleep(1.5)
    assert ranks.losses == [] and all(1.4 < watch._longest_stand < 30 for watch in ranks)
    ranks.close()


def test_a_rank_that_stood_still_alone_says_so(monkeypatch):
    """The others can't know why it was silent."""
    monkeypatch.setattr(watcher, "BEAT", 0.1)
    ranks = Ranks(silence=1.0)
    look = Watch._look_for_silence
    others_have_noticed = ranks[0]._noticed

    def stand_still(watch):
        if watch is ranks[2]:
            others_have_noticed.wait(30)
        look(watch)

    monkeypatch.setattr(Watch, "_look_for_silence", stand_still)
    assert str(ranks[0].wait_for_loss(30)) == "rank 2 on c has given no sign of life for 1 s"
    assert re.search(
        r"rank 2 on c has given no sign of life for 1 s \(its process stood still for [1-9]\d* s: ",
        str(ranks[2].wait_for_loss(30)),
    )
    ranks.close()


def test_a_rank_that_never_connects_is_a_loss(monkeypatch):
    monkeypatch.setattr(watcher, "BEAT", 0.1)
    ranks = Ranks(silence=1.0, missing=(2,))
    assert ranks[1].wait_for_loss(30).rank == 2
    ranks.close()


def test_a_hub_that_does_not_answer():
    hub = Hub.open("127.0.0.1", 2)
    hub.listening.close()
    losses = []
    watch = Watch(1, HOSTS, hub.place, None, 5.0, losses.append)
    watch.start()
    assert "doesn't answer at 127.0.0.1:" in str(watch.wait_for_loss(30))
    watch.close()


def test_strangers_change_nothing(ranks):
    host, port, _ = ranks[0]._place
    for text in (b'{"hello": "x", "rank": 1}\n', b'{"lost": [1, "x"]}\n', b"GET /\n"):
        with socket.create_connection((host, port), timeout=10) as stranger:
            stranger.sendall(text)
            stranger.settimeout(10)
            while stranger.recv(100):  # beats, then the end
                pass
    assert ranks.losses == []


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
def test_a_child_does_not_keep_its_parent_alive():
    ours, theirs = socket.socketpair()
    watch = Watch(1, HOSTS, ["", 0, ""], None, 0.0, lambda loss: None)
    watch._add(ours)
    child = os.fork()
    if child == 0:
        watch.forget()
        time.sleep(20)
        os._exit(0)
    try:
        time.sleep(0.3)
        ours.close()
        theirs.settimeout(10)
        assert theirs.recv(1) == b""
    finally:
        os.kill(child, 9)
        os.waitpid(child, 0)
        theirs.close()
