"""The place in rank 0 to which all other ranks connect, and what they find out there."""

from __future__ import annotations

import os
import socket
from typing import NamedTuple
from uuid import uuid4


class Loss(NamedTuple):
    """A rank that is gone.

    Attributes:
        rank: Which.
        host: Its machine.
        reason: What is known about it.
    """

    rank: int
    host: str
    reason: str

    def __str__(self) -> str:
        return f"rank {self.rank} on {self.host} {self.reason}"


class Hub:
    """The place in rank 0 to which all others connect.

    Attributes:
        place: Host, port and password for the other ranks.
    """

    def __init__(self, listening: socket.socket, host: str, world_size: int) -> None:
        self.listening = listening
        self.place = [host, listening.getsockname()[1], uuid4().hex]
        self.world_size = world_size

    @classmethod
    def open(cls, address: str, world_size: int) -> Hub:
        """Listen on ``address``, or everywhere if it is empty."""
        family = socket.AF_INET6 if ":" in address else socket.AF_INET
        listening = socket.create_server((address, 0), family=family, backlog=max(128, world_size))
        listening.setblocking(False)
        return cls(listening, address or os.environ["MASTER_ADDR"], world_size)
