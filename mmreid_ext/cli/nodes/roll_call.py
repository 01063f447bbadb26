"""Machines of one run call the roll before their launchers start any rank.

``torchrun`` waits ten minutes in silence for a machine that was forgotten, and for ever where two
machines were given one number. It is told here within seconds, machine by machine.
"""

from __future__ import annotations

import json
import os
import re
import socket
import sys
import time
from argparse import Namespace
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import torch.distributed as dist

from mmreid_ext.errors import UserError
from mmreid_ext.shorten import one_line, shorten

from .interface import own_addresses, resolve
from .meeting import JOIN_SECONDS, seconds_to_join

WAIT = 600.0
"""Seconds until a launcher gives up; people start machines by hand, one after the other."""

FIRST_NOTICE = 10.0
NEXT_NOTICE = 60.0
"""Seconds until a launcher says for whom it waits, and between two such lines."""

_OF_A_CONNECTION = re.compile(r"DistNetworkError|failed to (recv|send)|connection", re.IGNORECASE)
_PAUSE = 0.2
_BETWEEN = 1.0


@contextmanager
def machines(given: Namespace, environ: Mapping[str, str] = os.environ) -> Iterator[None]:
    """Wait for the other machines, then keep what they need while the ranks run.

    Args:
        given: Arguments of ``torchrun``. Without a fixed number of machines above one, or with a
            rendezvous of their own, nothing is done.
        environ: Environment variables.

    Raises:
        UserError: If a machine doesn't come, or two have one number; or if machine 0's launcher is
            gone later on.
    """
    number = str(given.nnodes)
    if not number.isdigit() or int(number) < 2 or given.rdzv_backend != "static":
        yield
        return
    wait = seconds_to_join(environ) if environ.get("MMREID_JOIN_SECONDS") else WAIT
    roll = Roll(given.master_addr, int(given.master_port), int(given.node_rank), int(number), wait)
    store = None
    try:
        store = roll.call()  # torchrun shares the server of this process
        yield
    except RuntimeError as error:
        if not _OF_A_CONNECTION.search(f"{type(error).__name__}: {error}"):
            raise
        raise UserError(
            f"machine 0's launcher at {roll.place} is gone ({one_line(error)}); look at its "
            "output, then start every machine again with --resume."
        ) from error
    finally:
        del store


class Roll:
    """The roll of machines, kept in the store of machine 0's launcher.

    Args:
        master: ``MASTER_ADDR``.
        port: ``MASTER_PORT``.
        machine: Number of this machine, ``NODE_RANK``.
        machines: How many there are, ``NNODES``.
        wait: Seconds to wait for all.
        say: Shows a line.
    """

    def __init__(
        self,
        master: str,
        port: int,
        machine: int,
        machines: int,
        wait: float,
        say: Callable[[str], Any] = lambda line: sys.stderr.write(f"{line}\n"),
    ) -> None:
        self.master, self.port, self.machine, self.machines = master, port, machine, machines
        self.place = f"{master}:{port}"
        self._wait, self._say = wait, say
        self._deadline = time.monotonic() + wait
        self._notice = time.monotonic() + FIRST_NOTICE

    def call(self) -> dist.Store:
        """Return the store of machine 0's launcher once all machines have come.

        Raises:
            UserError: If one doesn't, or if two have one number.
        """
        if not 0 <= self.machine < self.machines:
            raise UserError(
                f"NODE_RANK={self.machine}: expected 0 to {self.machines - 1} for NNODES="
                f"{self.machines}."
            )
        store = self._open()
        roll = dist.PrefixStore("mmreid_ext/roll", store)
        if roll.add("complete", 0):
            return store  # this machine was started again
        mine = json.dumps(dict(host=socket.gethostname(), machines=self.machines))
        if roll.add(f"came/{self.machine}", 1) > 1:
            raise UserError(self._twice(roll))
        roll.set(f"card/{self.machine}", mine)
        roll.add(f"wrote/{self.machine}", 1)
        while missing := [k for k in range(self.machines) if not roll.add(f"wrote/{k}", 0)]:
            remedy = "start the same command there, with NODE_RANK=" + "|".join(map(str, missing))
            self._go_on_waiting(
                f"machine {shorten(missing)} of {self.machines} has not come "
                f"to {self.place}; {remedy}"
            )
            time.sleep(_PAUSE)
        self._compare(roll)
        roll.add("complete", 1)
        return store

    def _twice(self, roll: dist.Store) -> str:
        other = json.loads(roll.get(f"card/{self.machine}"))["host"]
        return (
            f"NODE_RANK={self.machine}: {other} has this number already; give each machine another "
            f"one, 0 to {self.machines - 1}."
        )

    def _compare(self, roll: dist.Store) -> None:
        cards = [json.loads(roll.get(f"card/{k}")) for k in range(self.machines)]
        for number, card in enumerate(cards):
            if card["machines"] != cards[0]["machines"]:
                raise UserError(
                    f"NNODES={card['machines']} on machine {number} ({card['host']}), "
                    f"{cards[0]['machines']} on machine 0; give every machine the same number."
                )

    def _open(self) -> dist.Store:
        if self.machine > 0:
            self._reach()
        try:
            return dist.TCPStore(
                self.master,
                self.port,
                None,
                self.machine == 0,
                timeout=timedelta(seconds=max(JOIN_SECONDS, self._wait)),
                wait_for_workers=False,
                multi_tenant=True,
            )
        except RuntimeError as error:
            raise UserError(
                f"MASTER_ADDR={self.master}, MASTER_PORT={self.port}: {one_line(error, 200)}; "
                "choose another port, the same on every machine."
            ) from error

    def _reach(self) -> None:
        resolve(self.master)
        while True:
            try:
                socket.create_connection((self.master, self.port), timeout=3).close()
                return
            except OSError as error:
                self._go_on_waiting(
                    f"machine 0 doesn't answer at {self.place} ({error.strerror or error}); start "
                    "the same command there with NODE_RANK=0, and let its ports be reached"
                )
            time.sleep(_BETWEEN)

    def _go_on_waiting(self, what: str) -> None:
        now = time.monotonic()
        if self.machine == 0 and resolve(self.master)[1] not in own_addresses():
            what += f" (MASTER_ADDR={self.master} is no address of this machine)"
        if now >= self._deadline:
            raise UserError(f"{what} (waited {self._wait:.0f} s; MMREID_JOIN_SECONDS changes it).")
        if now >= self._notice:
            self._notice = now + NEXT_NOTICE
            self._say(f"machine {self.machine}: waiting, {what}")
