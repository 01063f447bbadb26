"""Ranks of one attempt find one another, also where a dead attempt has left its messages."""

import threading
import time

import pytest
import torch.distributed as dist

from mmreid_ext.cli.nodes.meeting import meet, open_store, seconds_to_join
from mmreid_ext.errors import UserError


def card(host="h", notes=None, **settings):
    return dict(host=host, versions={"torch": "2"}, settings=settings, notes=notes or {})


def meet_all(store, cards, wait=20.0):
    """Let the ranks in ``cards`` meet, each in a thread; return what each gets."""
    results = {}

    def one(rank, size, mine):
        try:
            results[rank] = meet(store, rank, size, mine, wait)
        except UserError as error:
            results[rank] = str(error)

    size = max(cards) + 1
    threads = [threading.Thread(target=one, args=(r, size, c)) for r, c in cards.items()]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    return results


def test_all_are_there_and_equal():
    found = meet_all(
        dist.HashStore(),
        {0: card("a", dict(hub=[1])), 1: card("b", dict(resume=True)), 2: card("c")},
    )
    assert [found[rank].hosts for rank in range(3)] == [("a", "b", "c")] * 3
    assert [found[rank].notes for rank in range(3)] == [dict(hub=[1], resume=True)] * 3
    found[0].store.set("key", "value")
    assert found[2].store.get("key") == b"value"


def test_who_differs_is_said_on_every_rank():
    found = meet_all(
        dist.HashStore(), {0: card("a", n="1"), 1: card("a", n="1"), 2: card("b", n="2")}
    )
    assert set(found.values()) == {
        "rank 2 on b: n is 2 there, 1 on rank 0; start every machine with the same configuration "
        "and options."
    }


def test_who_is_missing_is_said(monkeypatch):
    monkeypatch.setenv("LOCAL_WORLD_SIZE", "2")
    results = {}

    def others():
        results.update(meet_all(store, {1: card()}, 0.5))

    store = dist.HashStore()
    thread = threading.Thread(target=others)
    thread.start()
    with pytest.raises(UserError, match=r"rank 2, 3 \(machine 1\) of 4 did not come within 0 s"):
        meet(store, 0, 4, card(), 0.5)
    thread.join(30)
    assert results[1].startswith("rank 2, 3 (machine 1) of 4")


def test_rank_0_is_missing(monkeypatch):
    monkeypatch.setattr("mmreid_ext.cli.nodes.meeting._LONGER", 0.1)
    with pytest.raises(UserError, match="rank 1: rank 0 at MASTER_ADDR=.* did not come within 0 s"):
        meet(dist.HashStore(), 1, 2, card(), 0.2)


def test_restarted_ranks_pass_over_the_room_of_a_dead_attempt():
    store = dist.HashStore()
    first = meet_all(store, {0: card("a"), 1: card("b")})
    first[0].store.set("address", "of a dead process")
    late = {}
    thread = threading.Thread(target=lambda: late.update(meet_all(store, {1: card("new b")})))
    thread.start()  # machine 1 is back before machine 0
    time.sleep(0.5)
    assert not late
    again = meet(store, 0, 2, card("new a"), 20.0)
    thread.join(30)
    assert again.hosts == late[1].hosts == ("new a", "new b")
    again.store.set("address", "new")
    assert late[1].store.get("address") == b"new"


def test_a_verdict_over_a_dead_attempt_is_not_taken():
    """Rank 1 died before it came; its successor must not read that rank 1 is missing."""
    store = dist.HashStore()
    with pytest.raises(UserError, match="rank 1 of 2 did not come"):
        meet(store, 0, 2, card(), 0.1)
    found = meet_all(store, {0: card("a"), 1: card("b")})
    assert found[0].hosts == found[1].hosts == ("a", "b")


def test_seconds_to_join():
    assert seconds_to_join({}) == seconds_to_join({"TORCHELASTIC_RESTART_COUNT": "0"}) == 60
    assert seconds_to_join({"TORCHELASTIC_RESTART_COUNT": "2"}) == 900
    assert seconds_to_join({"MMREID_JOIN_SECONDS": "5"}) == 5
    for text in ("0", "-1", "soon", "nan", "inf"):
        with pytest.raises(UserError, match=f"MMREID_JOIN_SECONDS={text}: expected a positive"):
            seconds_to_join({"MMREID_JOIN_SECONDS": text})


def test_a_store_that_nobody_keeps(monkeypatch):
    monkeypatch.setenv("MASTER_ADDR", "127.0.0.1")
    monkeypatch.setenv("MASTER_PORT", "1")  # nothing listens there
    with pytest.raises(UserError, match=r"MASTER_PORT=1: rank 1 can't reach rank 0 .*machine 0"):
        open_store(1, 2, 1.0)
