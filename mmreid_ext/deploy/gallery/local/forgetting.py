"""After a deletion: nothing of it stays in the file, its log or its free pages."""

from __future__ import annotations

import json
import os
import sqlite3
import subprocess
import sys
from collections.abc import Sequence

from mmreid_ext.errors import warn_user

from . import remains
from .database import Connection
from .statements import chunks, marks

MOST = 1000
"""Deleted pictures whose remains are looked for; after more the file is written anew at once."""


class Traces:
    """What deleted pictures could leave behind.

    Args:
        raw: Connection inside the transaction that will delete them.
        ids: The pictures.
    """

    def __init__(self, raw: sqlite3.Connection, ids: Sequence[int]) -> None:
        self.count = len(ids)
        self.windows: set[int] = set()
        self.texts: set[str] = set()
        for some in chunks(ids if self.count <= MOST else []):
            for values in raw.execute(
                "SELECT hash, embedding, jpeg, identity, source FROM images i "
                f"LEFT JOIN thumbnails t ON t.id = i.id WHERE i.id IN ({marks(some)})",
                some,
            ):
                hash, embedding, jpeg, *texts = values
                # The first half of a JPEG file is much the same in all of them.
                picture = b"" if jpeg is None else jpeg[len(jpeg) // 2 :]
                for content in (hash, embedding, picture):
                    self.windows |= remains.windows_of(content)
                self.texts |= {
                    text for text in texts if text and len(text.encode()) >= remains.SHORTEST
                }

    def drop_names_in_use(self, raw: sqlite3.Connection) -> None:
        """Forget the names that other pictures have, too; call it after the deletion."""
        for some in chunks(sorted(self.texts)):
            self.texts -= {
                name
                for (name,) in raw.execute(
                    f"SELECT DISTINCT identity FROM images WHERE identity IN ({marks(some)})", some
                )
            }


def forget(writer: Connection, place: str, traces: Traces) -> None:
    """Empty the log, look for remains in the file, and write it anew if there are some.

    Warns if another process prevents it; the deletion itself is done.

    Args:
        writer: Connection outside of a transaction.
        place: The file.
        traces: What was deleted.
    """
    with writer.lock:
        if not _empty_log(writer, place):
            return
        if traces.count <= MOST and not _remain(place, traces):
            return
        try:
            writer.all("VACUUM")
        except sqlite3.Error as error:
            _warn(place, f"the file can't be written anew ({error})")
            return
        _empty_log(writer, place)


def _empty_log(writer: Connection, place: str) -> bool:
    busy = writer.one("PRAGMA wal_checkpoint(TRUNCATE)") or (1,)
    if busy[0]:
        _warn(place, "another process has been reading for long, and its log can't be emptied")
    return not busy[0]


def _remain(place: str, traces: Traces) -> bool:
    """Whether something is left; True if that can't be found out."""
    asked = dict(windows=sorted(traces.windows), texts=sorted(traces.texts))
    command = [sys.executable, os.fspath(remains.__file__), os.path.abspath(place)]
    try:
        done = subprocess.run(
            command, input=json.dumps(asked), capture_output=True, text=True, check=True
        )
        return done.stdout != "0"
    except (OSError, subprocess.SubprocessError):
        return True


def _warn(place: str, why: str) -> None:
    warn_user(
        f"{place}: the pictures are deleted, but parts of them may still be in the file or its "
        f"log: {why}. Delete anything later, or run `VACUUM` and "
        "`PRAGMA wal_checkpoint(TRUNCATE)` by sqlite3."
    )
