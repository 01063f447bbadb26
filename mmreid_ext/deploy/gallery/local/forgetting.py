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

_NOTE = "forget "
"""Begin of the keys in ``meta`` that say: something was deleted, and may still be in the file."""

MOST = 1000
"""Deleted pictures whose remains are looked for; after more the file is written anew at once."""


class Traces:
    """What pictures that are deleted or named anew could leave behind.

    The file notes in the same transaction that there is something to forget. So a process that is
    killed before it has done so leaves that to the next one.

    Args:
        raw: Connection inside the transaction that will change the pictures.
        ids: The pictures.
        names_only: Whether they stay, under another name.
    """

    def __init__(
        self, raw: sqlite3.Connection, ids: Sequence[int], names_only: bool = False
    ) -> None:
        self.note = f"{_NOTE}{os.urandom(8).hex()}"
        self.count = len(ids)
        self.windows: set[int] = set()
        self.names: dict[str, set[bytes]] = {}
        self._raw = raw
        for some in chunks(ids if self.count <= MOST else []):
            for values in raw.execute(
                "SELECT hash, embedding, jpeg, identity, source FROM images i "
                f"LEFT JOIN thumbnails t ON t.id = i.id WHERE i.id IN ({marks(some)})",
                some,
            ):
                hash, embedding, jpeg, identity, source = values
                if identity:
                    forms = self.names.setdefault(identity, set())
                    forms |= remains.forms_of(identity, hash)
                if names_only:
                    continue
                if source and len(source.encode()) >= remains.SHORTEST:
                    self.names.setdefault(source, {source.encode()})
                # The first half of a JPEG file is much the same in all of them.
                picture = b"" if jpeg is None else jpeg[len(jpeg) // 2 :]
                for content in (hash, embedding, picture):
                    self.windows |= remains.windows_of(content)

    @property
    def texts(self) -> set[bytes]:
        """What is looked for as it is."""
        return set().union(*self.names.values())

    def settle(self) -> None:
        """Forget the names that other pictures have, too, and note the rest in the file.

        Call it after the change, before the transaction ends.
        """
        for some in chunks(sorted(self.names)):
            for (name,) in self._raw.execute(
                f"SELECT DISTINCT identity FROM images WHERE identity IN ({marks(some)})", some
            ):
                del self.names[name]
        if self:
            self._raw.execute("INSERT INTO meta VALUES (?, '')", (self.note,))

    def __bool__(self) -> bool:
        """Whether there is anything to look for; many pictures aren't looked at one by one."""
        return bool(self.windows or self.names) or self.count > MOST


def forget(writer: Connection, place: str, traces: Traces | None) -> None:
    """Empty the log, look for remains in the file, and write it anew if there are some.

    Warns if another process prevents it; the change itself is done, and what is left to forget is
    noted in the file for the next change.

    Args:
        writer: Connection outside of a transaction.
        place: The file.
        traces: What was deleted; None: only what earlier processes have left to do.
    """
    try:
        with writer.lock:
            _forget(writer, place, traces)
    except sqlite3.Error as error:
        _warn(place, f"it can't be cleaned ({error})")


def _forget(writer: Connection, place: str, traces: Traces | None) -> None:
    asked = "SELECT key FROM meta WHERE substr(key, 1, ?) = ?"
    notes = [key for (key,) in writer.all(asked, (len(_NOTE), _NOTE))]
    if not notes or not _empty_log(writer, place):
        return
    others = [note for note in notes if traces is None or note != traces.note]
    if traces is None or others or traces.count > MOST or _remain(place, traces):
        writer.all("VACUUM")
        if not _empty_log(writer, place):
            return
    with writer.transaction() as raw:
        raw.executemany("DELETE FROM meta WHERE key = ?", ((note,) for note in notes))


def _empty_log(writer: Connection, place: str) -> bool:
    busy = writer.one("PRAGMA wal_checkpoint(TRUNCATE)") or (1,)
    if busy[0]:
        _warn(place, "another process has been reading for long, and its log can't be emptied")
    return not busy[0]


def _remain(place: str, traces: Traces) -> bool:
    """Whether something is left; True if that can't be found out."""
    asked = dict(windows=sorted(traces.windows), texts=sorted(text.hex() for text in traces.texts))
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
        f"{place}: the change is made, but parts of what was deleted or renamed may still be in "
        f"the file or its log: {why}. Open the gallery for writing later: then they are removed."
    )
