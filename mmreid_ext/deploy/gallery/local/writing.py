"""Changes of a gallery file: each a transaction, whole or not at all."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence

from mmreid_ext.deploy.gallery.records import Added, Rows

from .database import Connection
from .forgetting import Traces, forget
from .statements import chunks, marks


def add_rows(raw: sqlite3.Connection, rows: Rows) -> Added:
    """Add pictures inside a transaction; those with a known hash stay as they were."""
    known = _known(raw, rows.hashes)
    found = raw.execute("SELECT seq FROM sqlite_sequence WHERE name = 'images'").fetchone()
    last = first = found[0] if found else 0
    ids, conflicts, new = [], [], []
    for row, hash in enumerate(rows.hashes):
        if hash in known:
            id, identity = known[hash]
            if rows.identities[row] is not None and rows.identities[row] != identity:
                conflicts.append(id)
        else:
            last = id = last + 1
            known[hash] = id, rows.identities[row]
            new.append(row)
        ids.append(id)
    raw.executemany(
        "INSERT INTO images VALUES (?, ?, ?, ?, ?, ?, ?)",
        (
            (
                ids[row],
                rows.hashes[row],
                rows.identities[row],
                rows.cameras[row],
                rows.times[row],
                rows.sources[row],
                rows.embeddings[row].tobytes(),
            )
            for row in new
        ),
    )
    pictures = ((ids[row], rows.thumbnails[row]) for row in new)
    raw.executemany(
        "INSERT INTO thumbnails VALUES (?, ?)", ((id, jpeg) for id, jpeg in pictures if jpeg)
    )
    return Added(last - first, len(rows) - (last - first), ids, conflicts)


def _known(raw: sqlite3.Connection, hashes: Sequence[bytes]) -> dict[bytes, tuple[int, str | None]]:
    """Return id and identity by hash of the pictures that are there already."""
    known = {}
    for some in chunks(hashes):
        for hash, id, identity in raw.execute(
            f"SELECT hash, id, identity FROM images WHERE hash IN ({marks(some)})", some
        ):
            known[hash] = id, identity
    return known


def delete_rows(
    writer: Connection, place: str, ids: Sequence[int] | None, identity: str | None
) -> int:
    """Delete pictures, and what the file may still hold of them."""
    with writer.transaction() as raw:
        if identity is not None:
            found = raw.execute("SELECT id FROM images WHERE identity = ?", (identity,))
            there = [id for (id,) in found]
        else:
            there = []
            for some in chunks(sorted(set(ids or ()))):
                found = raw.execute(f"SELECT id FROM images WHERE id IN ({marks(some)})", some)
                there += [id for (id,) in found]
        traces = Traces(raw, there)
        for table in ("images", "thumbnails"):
            raw.executemany(f"DELETE FROM {table} WHERE id = ?", ((id,) for id in there))
        raw.executemany("INSERT INTO changes (id, deleted) VALUES (?, 1)", ((i,) for i in there))
        traces.settle()
    if traces:
        forget(writer, place, traces)
    return len(there)


def label_rows(writer: Connection, place: str, ids: Sequence[int], identity: str | None) -> int:
    """Set who pictures show, and delete what the file may still hold of their earlier names."""
    with writer.transaction() as raw:
        there, anew = 0, []
        for some in chunks(sorted(set(ids))):
            for id, known in raw.execute(
                f"SELECT id, identity FROM images WHERE id IN ({marks(some)})", some
            ):
                there += 1
                if known != identity:
                    anew.append(id)
        traces = Traces(raw, anew, names_only=True)
        raw.executemany(
            "UPDATE images SET identity = ? WHERE id = ?", ((identity, i) for i in anew)
        )
        raw.executemany("INSERT INTO changes (id, deleted) VALUES (?, 0)", ((i,) for i in anew))
        traces.settle()
    if traces:
        forget(writer, place, traces)
    return there
