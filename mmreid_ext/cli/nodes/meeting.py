"""Ranks of one attempt find one another through the store, and compare what they run.

A store may outlive an attempt: the launcher keeps it, and restarted ranks would read the addresses
of dead ones. So rank 0 opens a room of its own for each attempt. A rank enters a room once, and
waits for the next room if its predecessor has been there. So attempts need no common number, and
one machine may be started again while the others wait.
"""

from __future__ import annotations

import json
import os
import time
from collections.abc import Mapping
from datetime import timedelta
from typing import Any, NamedTuple
from uuid import uuid4

import torch.distributed as dist

from mmreid_ext.errors import UserError
from mmreid_ext.shorten import several, shorten

from .card import difference

JOIN_SECONDS = 60.0
"""How long ranks wait for the others at a first start; MMREID_JOIN_SECONDS changes it."""

REJOIN_SECONDS = 900.0
"""How long restarted ranks wait: until a machine is back."""

_PAUSE = 0.1
_LONGER = 5.0
"""Seconds that the others wait longer than rank 0, which knows who is missing."""


class Meeting(NamedTuple):
    """What ranks agreed on.

    Attributes:
        store: A store of this attempt alone.
        hosts: The machine of each rank.
        notes: What each rank noted on its card for the others, by name; the first that isn't empty.
    """

    store: dist.Store
    hosts: tuple[str, ...]
    notes: dict[str, Any]


def seconds_to_join(environ: Mapping[str, str] = os.environ) -> float:
    """Return how long ranks wait for one another before they start.

    Raises:
        UserError: If MMREID_JOIN_SECONDS is no positive number.
    """
    text = environ.get("MMREID_JOIN_SECONDS", "")
    if text:
        try:
            seconds = float(text)
        except ValueError:
            seconds = 0
        if not 0 < seconds < 1e7:
            raise UserError(f"MMREID_JOIN_SECONDS={text}: expected a positive number of seconds.")
        return seconds
    restarted = environ.get("TORCHELASTIC_RESTART_COUNT", "0") not in ("", "0")
    return REJOIN_SECONDS if restarted else JOIN_SECONDS


def open_store(rank: int, world_size: int, wait: float) -> dist.Store:
    """Connect to the store of the launcher, or to rank 0's where the launcher keeps none.

    Raises:
        UserError: If it doesn't answer within ``wait`` seconds.
    """
    host, port = os.environ["MASTER_ADDR"], os.environ["MASTER_PORT"]
    launcher_keeps_it = os.environ.get("TORCHELASTIC_USE_AGENT_STORE") == "True"
    try:
        return dist.TCPStore(
            host,
            int(port),
            world_size,
            rank == 0 and not launcher_keeps_it,
            timeout=timedelta(seconds=wait),
            wait_for_workers=False,
        )
    except (RuntimeError, ValueError) as error:
        text = str(error).partition("\n")[0]
        raise UserError(
            f"MASTER_ADDR={host}, MASTER_PORT={port}: rank {rank} can't reach rank 0 there within "
            f"{wait:.0f} s ({text}); start machine 0, give its address in the network, and open "
            "its ports to the other machines."
        ) from error


def meet(
    store: dist.Store, rank: int, world_size: int, card: Mapping[str, Any], wait: float
) -> Meeting:
    """Wait until every rank of this attempt is there, and check that all run the same.

    Args:
        store: Where ranks leave messages.
        rank: This rank.
        world_size: Number of ranks.
        card: What this rank says about itself (:func:`mmreid_ext.cli.nodes.card.card_of`);
            ``notes`` in it is passed on.
        wait: Seconds to wait.

    Raises:
        UserError: On every rank: who has not come, or who runs what else, and the remedy.
    """
    deadline = time.monotonic() + wait
    if rank == 0:
        verdict, room = _receive(store, world_size, card, deadline, wait)
    else:
        verdict, room = _enter(store, rank, card, deadline + _LONGER, wait)
    if verdict["problem"]:
        raise UserError(verdict["problem"])
    return Meeting(dist.PrefixStore("group", room), tuple(verdict["hosts"]), verdict["notes"])


def _receive(
    store: dist.Store, world_size: int, card: Mapping[str, Any], deadline: float, wait: float
) -> tuple[dict[str, Any], dist.Store]:
    """Rank 0: open a room, wait for the others, and say whether all is well."""
    name = uuid4().hex
    room = dist.PrefixStore(name, store)
    room.set("card", json.dumps(dict(card)))
    store.set("mmreid_ext/room", name)
    store.add("mmreid_ext/rooms", 1)
    while room.add("answers", 0) < world_size - 1 and time.monotonic() < deadline:
        time.sleep(_PAUSE)
    others = range(1, world_size)
    missing = [rank for rank in others if room.add(f"answered/{rank}", 0) == 0]
    answers = {r: json.loads(room.get(f"answer/{r}")) for r in others if r not in missing}
    hosts = [answers[r]["host"] if r in answers else "?" for r in others]
    odd = [r for r in answers if answers[r]["problem"]]
    problem = ""
    if odd:
        first, more = (
            odd[0],
            f" (and {several(len(odd) - 1, 'other rank')})" if len(odd) > 1 else "",
        )
        problem = f"rank {first} on {answers[first]['host']}{more}: {answers[first]['problem']}."
    elif missing:
        problem = (
            f"{_whom(missing)} of {world_size} did not come within {wait:.0f} s; start the same "
            "command on every machine, and look at its output there (MMREID_JOIN_SECONDS=600 "
            "gives slow machines more time)."
        )
    notes: dict[str, Any] = {}
    for one in [dict(card), *answers.values()]:
        notes |= {k: v for k, v in one.get("notes", {}).items() if v and not notes.get(k)}
    verdict = dict(problem=problem, hosts=[card["host"], *hosts], notes=notes)
    room.set("verdict", json.dumps(verdict))
    room.add("decided", 1)
    return verdict, room


def _enter(
    store: dist.Store, rank: int, card: Mapping[str, Any], deadline: float, wait: float
) -> tuple[dict[str, Any], dist.Store]:
    """Other ranks: enter the newest room that no predecessor has entered, and hear the verdict."""
    room, seen = None, 0
    while time.monotonic() < deadline:
        number = store.add("mmreid_ext/rooms", 0)
        if number > seen:
            seen = number
            room = dist.PrefixStore(store.get("mmreid_ext/room").decode(), store)
            if room.add(f"entered/{rank}", 1) > 1 or room.add("decided", 0):
                room = None  # of a dead attempt: a predecessor was here, or came too late
            else:
                _answer(room, rank, card)
        if room is not None and room.add("decided", 0):
            return json.loads(room.get("verdict")), room
        time.sleep(_PAUSE)
    raise UserError(
        f"rank {rank}: rank 0 at MASTER_ADDR={os.environ.get('MASTER_ADDR')} did not come within "
        f"{wait:.0f} s; look at the output of machine 0 (MMREID_JOIN_SECONDS=600 gives it more "
        "time)."
    )


def _answer(room: dist.Store, rank: int, card: Mapping[str, Any]) -> None:
    problem = difference(card, json.loads(room.get("card")))
    answer = dict(problem=problem, host=card["host"], notes=card.get("notes", {}))
    room.set(f"answer/{rank}", json.dumps(answer))
    room.add(f"answered/{rank}", 1)
    room.add("answers", 1)


def _whom(ranks: list[int]) -> str:
    """Name ranks, and the machine of each where every machine has as many."""
    local = int(os.environ.get("LOCAL_WORLD_SIZE", "0") or 0)
    if not local:
        return f"rank {shorten(ranks)}"
    machines = shorten(dict.fromkeys(rank // local for rank in ranks))
    return f"rank {shorten(ranks)} (machine {machines})"
