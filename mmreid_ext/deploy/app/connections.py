"""Limit what a connection may send before its request is known.

``httptools`` is quick and takes headers of any length, for any time. Everything behind the headers
is limited elsewhere.
"""

from __future__ import annotations

import asyncio
from typing import Any

MAX_HEAD = 64 << 10
"""Bytes of address and headers of a request."""

PATIENCE = 15.0
"""Seconds until the headers of a request must be there."""


def http_protocol() -> Any:
    """Return what uvicorn reads requests by; without ``httptools`` its own, which has limits."""
    try:
        from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol
    except ImportError:
        return "h11"
    return limited(HttpToolsProtocol)


class _Head:
    """The headers that a connection waits for."""

    head = 0
    waiting: asyncio.TimerHandle | None = None
    loop: asyncio.AbstractEventLoop
    transport: asyncio.Transport

    def begin_head(self) -> None:
        """Begin to wait."""
        self.end_head()
        self.waiting = self.loop.call_later(PATIENCE, self.transport.abort)

    def end_head(self) -> None:
        """They are there."""
        self.head = 0
        if self.waiting is not None:
            self.waiting.cancel()
            self.waiting = None


def limited(base: type) -> type:
    """Return uvicorn's protocol with limits on the headers.

    Args:
        base: ``HttpToolsProtocol``.
    """

    class Limited(_Head, base):  # type: ignore[valid-type, misc]
        """Closes connections whose headers are too long, or don't come."""

        def connection_made(self, transport: asyncio.Transport) -> None:
            super().connection_made(transport)
            self.begin_head()

        def connection_lost(self, error: Exception | None) -> None:
            self.end_head()
            super().connection_lost(error)

        def on_message_begin(self) -> None:
            self.begin_head()
            super().on_message_begin()

        def on_headers_complete(self) -> None:
            self.end_head()
            super().on_headers_complete()

        def data_received(self, data: bytes) -> None:
            before = self.waiting
            super().data_received(data)
            if before is not None and self.waiting is before:  # nothing but headers
                self.head += len(data)
                if self.head > MAX_HEAD and not self.transport.is_closing():
                    self.send_400_response("The headers of the request are too long.")

    return Limited
