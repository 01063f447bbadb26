"""Read the body of a request: in chunks, up to a limit, and no more bodies than memory is for."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager

from mmreid_ext.deploy.app.refusals import Refusal, busy
from mmreid_ext.deploy.app.settings import Settings


class Held:
    """The memory that one request holds.

    Attributes:
        size: In bytes.
        reading: Whether its body isn't there yet.
    """

    def __init__(self) -> None:
        self.size = 0
        self.reading = True


class Gate:
    """Counts requests that are worked on, and the bytes that they hold.

    Args:
        settings: Most of both.
    """

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.requests = 0
        self.memory = 0

    @contextmanager
    def enter(self) -> Iterator[Held]:
        """Let a request in, and forget its memory when it ends.

        Raises:
            Refusal: 503 if there are too many.
        """
        if self.requests >= self.settings.max_requests:
            raise busy(f"{self.requests} requests are being worked on; ask again in a moment.")
        held = Held()
        self.requests += 1
        try:
            yield held
        finally:
            self.requests -= 1
            self.memory -= held.size

    def hold(self, held: Held, size: int) -> None:
        """Count memory.

        Raises:
            Refusal: 413 if one request holds too much, 503 if all together do.
        """
        limit = self.settings.max_body
        if held.size + size > limit:
            raise too_large(limit)
        if self.memory + size > self.settings.max_memory:
            raise busy("Requests hold all memory that is for them; ask again in a moment.")
        held.size += size
        self.memory += size


def too_large(limit: int) -> Refusal:
    """Return the refusal of a body."""
    return Refusal(
        413,
        f"The request has more than {limit:,} bytes; send smaller pictures, or several requests.",
        {"Connection": "close"},
    )


async def read_body(
    chunks: AsyncIterator[bytes], length: str | None, gate: Gate, held: Held
) -> bytes:
    """Return the body of a request.

    Args:
        chunks: As they arrive.
        length: The header Content-Length. It is believed only where it says too much.
        gate: Limits.
        held: The request.

    Raises:
        Refusal: 413 or 503.
    """
    if length is not None and length.isdecimal() and int(length[:20]) > gate.settings.max_body:
        raise too_large(gate.settings.max_body)
    parts: list[bytes] = []
    async for chunk in chunks:
        gate.hold(held, len(chunk))
        parts.append(chunk)
    held.reading = False
    return parts[0] if len(parts) == 1 else b"".join(parts)
