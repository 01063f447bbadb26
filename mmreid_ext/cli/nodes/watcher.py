"""The thread of one rank that watches the others: who is gone, why, and since when."""

from __future__ import annotations

import selectors
import socket
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from .hub import Hub, Loss
from .wire import Wire

BEAT = 1.0
"""Seconds between two signs of life."""

_STOOD_STILL = 3.0
"""Beats without a look at the others after which this process has stood still: nobody let it run.
What the others sent meanwhile isn't known, so this is no silence of theirs."""


class Watch:
    """The thread of one rank that watches the others.

    Args:
        rank: This rank.
        hosts: The machine of each rank.
        place: Where the hub is.
        hub: The hub itself, on rank 0.
        silence: Seconds after which a silent rank is gone; 0: never.
        on_loss: Called in the thread, once, with the first loss.
        on_times: Called in rank 0's thread with a rank and the seconds per iteration that it sent.

    Attributes:
        loss: The first rank that is gone, None while all are there.
    """

    def __init__(
        self,
        rank: int,
        hosts: Sequence[str],
        place: Sequence[Any],
        hub: Hub | None,
        silence: float,
        on_loss: Callable[[Loss], None],
    ) -> None:
        self.rank, self.hosts, self.silence = rank, tuple(hosts), silence
        self.loss: Loss | None = None
        self.on_times: Callable[[int, Mapping[str, float]], None] | None = None
        self._place, self._hub, self._on_loss = place, hub, on_loss
        self._wires: list[Wire] = []
        self._left: set[int] = set()
        self._noticed = threading.Event()
        self._closing = threading.Event()
        self._selector = selectors.DefaultSelector()
        self._began = self._looked = time.monotonic()
        self._longest_stand = 0.0
        self._thread = threading.Thread(target=self._run, name="watch over ranks", daemon=True)

    def start(self) -> None:
        """Begin to watch."""
        self._thread.start()

    def wait_for_loss(self, seconds: float) -> Loss | None:
        """Return the first loss, which may be noticed within ``seconds``."""
        self._noticed.wait(seconds)
        return self.loss

    def send(self, **message: Any) -> None:
        """Send a message to the hub (from the hub's rank: to all)."""
        for wire in list(self._wires):
            wire.send(**message)

    def close(self, failed: str | None = None) -> None:
        """Stop watching, and tell the others that this rank is done, or why it failed."""
        if self._closing.is_set():
            return
        if self.loss is None:
            self.send(**(dict(bye=True) if failed is None else dict(failed=failed)))
            self._closing.set()
            self._thread.join(timeout=5 * BEAT)

    def forget(self) -> None:
        """In a forked child: close the copies of the connections: the parent's end must show."""
        for wire in self._wires:
            wire.socket.close()
        if self._hub is not None:
            self._hub.listening.close()

    def _run(self) -> None:
        try:
            if self._hub is None:
                self._connect()
            else:
                self._selector.register(self._hub.listening, selectors.EVENT_READ)
            beaten = 0.0
            while not self._closing.is_set():
                for key, _ in self._selector.select(timeout=BEAT / 4):
                    self._read(key.data)
                if time.monotonic() - beaten >= BEAT:
                    beaten = time.monotonic()
                    self.send(beat=True)
                self._look_for_silence()
        finally:
            for wire in self._wires:
                wire.close()
            if self._hub is not None:
                self._hub.listening.close()
            self._selector.close()

    def _connect(self) -> None:
        host, port, password = self._place
        try:
            connection = socket.create_connection((host, port), timeout=self.silence or None)
        except OSError as error:
            self._lose(0, f"doesn't answer at {host}:{port} ({error.strerror or error})")
            return
        wire = self._add(connection)
        wire.rank = 0
        wire.send(hello=password, rank=self.rank)

    def _add(self, connection: socket.socket) -> Wire:
        wire = Wire(connection)
        self._wires.append(wire)
        self._selector.register(connection, selectors.EVENT_READ, wire)
        return wire

    def _read(self, wire: Wire | None) -> None:
        if wire is None:
            if self._hub is not None:
                self._add(self._hub.listening.accept()[0])
            return
        for message in wire.receive():
            self._hear(wire, message)
        if not wire.is_open:
            self._selector.unregister(wire.socket)
            self._wires.remove(wire)
            wire.close()
            if wire.rank is not None and wire.rank not in self._left:
                self._lose(wire.rank, "has died (killed, or out of memory?)")

    def _hear(self, wire: Wire, message: dict[str, Any]) -> None:
        if wire.rank is None:
            known = self._hub is not None and message.get("hello") == self._hub.place[2]
            rank = message.get("rank")
            if not known or not isinstance(rank, int) or not 0 < rank < len(self.hosts):
                wire.is_open = False
                return
            wire.rank = rank
        if "bye" in message:
            self._left.add(wire.rank)
        elif "failed" in message:
            self._lose(wire.rank, f"has stopped: {message['failed']}")
        elif "lost" in message:
            self._lose(*message["lost"])
        elif "times" in message and self.on_times is not None:
            self.on_times(wire.rank, message["times"])

    def _look_for_silence(self) -> None:
        if not self.silence:
            return
        now = time.monotonic()
        self._forgive(now)
        heard = {wire.rank: wire.heard for wire in self._wires if wire.rank is not None}
        expected = range(1, len(self.hosts)) if self._hub is not None else (0,)
        for rank in expected:
            if rank not in self._left and now - heard.get(rank, self._began) > self.silence:
                self._lose(rank, f"has given no sign of life for {self.silence:.0f} s")

    def _forgive(self, now: float) -> None:
        """Take the time in which this process stood still from the silence of the others."""
        stood, self._looked = now - self._looked, now
        if stood > _STOOD_STILL * BEAT:
            self._longest_stand = max(self._longest_stand, stood)
            self._began += stood
            for wire in self._wires:
                wire.heard = min(wire.heard + stood, now)

    def _lose(self, rank: int, reason: str) -> None:
        if self.loss is None and not self._closing.is_set():
            if rank == self.rank and self._longest_stand:
                reason += (
                    f" (its process stood still for {self._longest_stand:.0f} s: suspended, or "
                    "without a processor)"
                )
            self.loss = Loss(rank, self.hosts[rank], reason)
            if self._hub is not None:
                self.send(lost=[rank, reason])
            self._noticed.set()
            self._on_loss(self.loss)
