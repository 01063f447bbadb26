"""Write, find, read and delete rows of a collection, in portions that a server takes."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import islice
from typing import Any

from mmreid_ext.errors import UserError
from mmreid_ext.shorten import one_line

from . import expressions, schema
from .server import Server

_PORTION_BYTES = 8_000_000
"""Bytes of one request; a server refuses 64 MB."""

_PORTION_ROWS = 1000
_PORTION_IDS = 4000
_PORTION_READ = 2000


def write_rows(server: Server, rows: Sequence[dict[str, Any]]) -> None:
    """Write rows; one of an id that is there is replaced by its equal.

    Args:
        server: Where.
        rows: Values by field.

    Raises:
        UserError: If a text is longer than its field; nothing is written then.
    """
    _check(rows)
    for portion in _portions(rows):
        server.call("upsert", data=portion)


def _check(rows: Sequence[dict[str, Any]]) -> None:
    for row in rows:
        for name, limit in schema.LENGTHS.items():
            text = row[name]
            try:
                length = len(text.encode())
            except UnicodeEncodeError:
                raise UserError(
                    f"Gallery.add: {name}={one_line(text)!r} is no Unicode text, and a Milvus "
                    "server takes nothing else; rename it."
                ) from None
            if length > limit:
                shown = "of this size" if name == "thumbnail" else repr(one_line(text))
                raise UserError(
                    f"Gallery.add: {name} {shown} has {length:,} bytes, on a Milvus server at most "
                    f"{limit:,}; shorten it."
                )


def _portions(rows: Sequence[dict[str, Any]]) -> Iterator[list[dict[str, Any]]]:
    portion: list[dict[str, Any]] = []
    size = 0
    for row in rows:
        own = sum(len(row[name]) for name in schema.LENGTHS) + 4 * len(row["embedding"])
        if portion and (size + own > _PORTION_BYTES or len(portion) >= _PORTION_ROWS):
            yield portion
            portion, size = [], 0
        portion.append(row)
        size += own
    if portion:
        yield portion


def find_hashes(server: Server, hashes: Sequence[bytes]) -> dict[bytes, int]:
    """Return the ids of those hashes that are there."""
    found: dict[bytes, int] = {}
    waiting = list(dict.fromkeys(hashes))
    attempt = 0
    while waiting:
        ids = {content: schema.id_of(content, attempt) for content in waiting}
        there: dict[int, str] = {}
        for portion in _chunks(list(ids.values()), _PORTION_IDS):
            answer = server.call(
                "query", filter=expressions.ids(portion), output_fields=["id", "hash"]
            )
            there |= {row["id"]: row["hash"] for row in answer}
        found |= {content: one for content, one in ids.items() if there.get(one) == content.hex()}
        # An id that another hash has: this hash may have the next one.
        waiting = [c for c, one in ids.items() if one in there and there[one] != c.hex()]
        attempt += 1
    return found


def new_ids(server: Server, hashes: Sequence[bytes]) -> list[int]:
    """Choose an id for each of several distinct hashes that aren't there."""
    taken: set[int] = set()
    chosen: list[int | None] = [None] * len(hashes)
    attempt = 0
    while None in chosen:
        offered = {
            place: schema.id_of(hashes[place], attempt)
            for place, one in enumerate(chosen)
            if one is None
        }
        for portion in _chunks(list(offered.values()), _PORTION_IDS):
            answer = server.call("query", filter=expressions.ids(portion), output_fields=["id"])
            taken |= {row["id"] for row in answer}
        for place, one in offered.items():
            if one not in taken:
                chosen[place] = one
                taken.add(one)
        attempt += 1
    return [one for one in chosen if one is not None]


def read_rows(
    server: Server,
    condition: str = expressions.EVERYTHING,
    fields: Sequence[str] = schema.FIELDS,
    portion: int = _PORTION_READ,
) -> Iterator[list[dict[str, Any]]]:
    """Yield rows, some at a time, as they were when the reading began."""
    pages = server.call(
        "query_iterator", filter=condition, output_fields=list(fields), batch_size=portion
    )
    try:
        while page := server.guarded("read", pages.next):
            yield [dict(row) for row in page]
    finally:
        pages.close()


def get_rows(
    server: Server, ids: Sequence[int], fields: Sequence[str]
) -> dict[int, dict[str, Any]]:
    """Return rows by their ids; missing ones are left out."""
    found: dict[int, dict[str, Any]] = {}
    for portion in _chunks(list(ids), _PORTION_ROWS):
        answer = server.call(
            "query", filter=expressions.ids(portion), output_fields=["id", *fields]
        )
        found |= {row["id"]: dict(row) for row in answer}
    return found


def delete_rows(server: Server, ids: Sequence[int]) -> None:
    """Delete rows, and ask the server to give up their storage."""
    for portion in _chunks(list(ids), _PORTION_IDS):
        server.call("delete", filter=expressions.ids(portion))
    if ids:
        server.call("flush")
        server.call("compact")


def count(server: Server, condition: str = "") -> int:
    """Count rows."""
    [answer] = server.call("query", filter=condition, output_fields=["count(*)"])
    return int(answer["count(*)"])


def _chunks(values: Sequence[Any], size: int) -> Iterator[list[Any]]:
    waiting = iter(values)
    while chunk := list(islice(waiting, size)):
        yield chunk
