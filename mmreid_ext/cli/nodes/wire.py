"""One connection between a rank and the hub: lines of JSON, and a beat every second."""

from __future__ import annotations

import json
import socket
import time
from typing import Any

_LONGEST = 1 << 16
"""Bytes of a line; more than that is no rank of ours."""


class Wire:
    """A connection whose two ends beat.

    Args:
        connection: A connected socket; it belongs to the wire from now on.

    Attributes:
        rank: Of the other end; None until it has said hello.
        heard: When the other end was last heard, by the monotonic clock.
        is_open: Whether both ends are there.
    """

    def __init__(self, connection: socket.socket) -> None:
        connection.setblocking(False)
        self.socket = connection
        self.rank: int | None = None
        self.heard = time.monotonic()
        self.is_open = True
        self._buffer = b""

    def send(self, **message: Any) -> None:
        """Send a message, or drop it where the connection takes no more."""
        if self.is_open:
            try:
                self.socket.send(json.dumps(message).encode() + b"\n")
            except BlockingIOError:
                pass  # nobody has read for long: silence ends it
            except OSError:
                self.is_open = False

    def receive(self) -> list[dict[str, Any]]:
        """Return the messages that have arrived; ``is_open`` is False after the other end's end."""
        try:
            content = self.socket.recv(_LONGEST)
        except BlockingIOError:
            return []
        except OSError:
            content = b""
        if not content:
            self.is_open = False
            return []
        *lines, self._buffer = (self._buffer + content).split(b"\n")
        try:
            messages = [json.loads(line) for line in lines]
        except (ValueError, RecursionError):
            messages = [None]
        if len(self._buffer) > _LONGEST or not all(isinstance(one, dict) for one in messages):
            self.close()
            return []
        self.heard = time.monotonic()
        return messages

    def close(self) -> None:
        """Close this end."""
        self.is_open = False
        self.socket.close()
