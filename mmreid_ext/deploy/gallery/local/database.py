"""The SQLite file of a gallery: connections, tables, transactions, and errors as sentences."""

from __future__ import annotations

import os
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from mmreid_ext.errors import MissingFileError, UserError

from .tables import FORMAT, OURS, TABLES

PAGE = 8192
WAIT = 30.0
"""Seconds that a connection waits for another one's transaction."""

_DAMAGED = "it is damaged; restore a copy, or save what `sqlite3 FILE .recover` finds"
_REASONS = {
    "locked": "another process has been writing for {wait:.0f} seconds; try again later",
    "disk is full": "the disk is full, or the file has reached its size limit; make room",
    "disk I/O error": "the disk refuses (full, a size limit, or damaged); make room or check it",
    "readonly": "it can't be written; check the permissions of the file and its folder",
    "unable to open": "it can't be opened; check the folder and the permissions",
    "malformed": _DAMAGED,
    "decode": _DAMAGED,  # text that is none
    "not a database": "it is not a gallery; give another path",
}


@contextmanager
def reported(place: str) -> Iterator[None]:
    """Turn errors of SQLite into ours, which name the file and the remedy."""
    try:
        yield
    except (sqlite3.Error, UnicodeDecodeError) as error:
        said = str(error)
        reason = next((text for word, text in _REASONS.items() if word in said), None)
        if reason is None:
            raise UserError(f"{place}: the database refuses ({said}).") from error
        raise UserError(f"{place}: {reason.format(wait=WAIT)} ({said}).") from error


class Connection:
    """A connection that threads take turns with.

    Args:
        place: The file.
        mode: ``rw``, or ``ro``; SQLite's further options after it.
    """

    def __init__(self, place: str, mode: str) -> None:
        self.lock = threading.RLock()
        self.raw = sqlite3.connect(
            f"{Path(place).absolute().as_uri()}?mode={mode}",
            uri=True,
            timeout=WAIT,
            isolation_level=None,
            check_same_thread=False,
        )
        self.raw.execute("SELECT count(*) FROM sqlite_master")  # connecting alone reads nothing
        # One turn to the disk per transaction: what is acknowledged survives a power cut.
        self.raw.execute("PRAGMA synchronous=FULL")
        self.raw.execute("PRAGMA secure_delete=ON")
        self.raw.execute("PRAGMA cache_size=-4000")  # KB; the system caches the file anyway

    def all(self, statement: str, values: tuple | list = ()) -> list[tuple]:
        """Run a statement and return all rows, so that no snapshot stays open."""
        with self.lock:
            return self.raw.execute(statement, values).fetchall()

    def one(self, statement: str, values: tuple | list = ()) -> tuple | None:
        """Run a statement and return its first row."""
        rows = self.all(statement, values)
        return rows[0] if rows else None

    @contextmanager
    def transaction(self) -> Iterator[sqlite3.Connection]:
        """Write all or nothing; waits for other writers."""
        with self.lock:
            self.raw.execute("BEGIN IMMEDIATE")
            try:
                yield self.raw
                self.raw.execute("COMMIT")
            except BaseException:
                if self.raw.in_transaction:
                    self.raw.execute("ROLLBACK")
                raise

    def close(self) -> None:
        """Close it; a second call does nothing."""
        with self.lock:
            self.raw.close()


def open_reader(place: str, read_only: bool) -> Connection:
    """Connect for reading.

    Reading writes, too: beside the file, who reads how far. Where that is impossible, on a medium
    that can't be written, the file is taken for one that nobody changes, if it has no log.

    Args:
        place: The file.
        read_only: Whether this process will write nothing at all.
    """
    if not read_only:
        return Connection(place, "rw")
    try:
        return Connection(place, "ro")
    except sqlite3.OperationalError as error:
        if "unable to open" not in str(error) or os.path.exists(f"{place}-wal"):
            raise
        return Connection(place, "ro&immutable=1")


def make_file(place: str) -> bool:
    """Make an empty file that its owner alone can read; return whether it is new."""
    try:
        os.close(os.open(place, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o600))
    except FileExistsError:
        return False
    except OSError as error:
        raise UserError(f"{place} can't be made ({error.strerror}); give another path.") from error
    return True


def number_of(place: str) -> tuple[int, int] | None:
    """Return what tells a file from others under its name; None if there is none."""
    try:
        found = os.stat(place)
    except OSError:
        return None
    return found.st_dev, found.st_ino


def require_file(place: str) -> None:
    """Check that there is a file.

    Raises:
        MissingFileError: If there is none.
        UserError: If it is a folder.
    """
    if os.path.isdir(place):
        raise UserError(f"{place} is a folder; a gallery is one file, such as people.db.")
    if not os.path.exists(place):
        raise MissingFileError(f"No gallery {place}; add pictures to make it, or mend the path.")


def prepare(connection: Connection, place: str, model_text: str | None) -> None:
    """Check that a file is a gallery of this format; make the tables of an empty one.

    Args:
        connection: To the file.
        place: The file, for messages.
        model_text: What a new gallery keeps of its model; None: an empty file is refused.

    Raises:
        UserError: If it is another program's database, of a later format, or empty.
    """
    if _is_empty(connection) and model_text is not None:
        connection.raw.execute(f"PRAGMA page_size={PAGE}")
        connection.raw.execute("PRAGMA journal_mode=WAL")
        with connection.transaction() as raw:
            if _is_empty(connection):  # no other process was quicker
                for statement in TABLES:
                    raw.execute(statement)
                raw.execute("INSERT INTO meta VALUES ('model', ?)", (model_text,))
                raw.execute(f"PRAGMA application_id={OURS}")
                raw.execute(f"PRAGMA user_version={FORMAT}")
    if _is_empty(connection):
        raise UserError(f"{place} is empty, and no model is given to make a gallery for.")
    if _pragma(connection, "application_id") != OURS:
        raise UserError(f"{place} is a database of another program; give another path.")
    version = _pragma(connection, "user_version")
    if version > FORMAT:
        raise UserError(
            f"{place} has format {version}, this version of mmreid_ext reads up to {FORMAT}: "
            "install a later one."
        )


def _is_empty(connection: Connection) -> bool:
    return connection.one("SELECT count(*) FROM sqlite_master") == (0,)


def _pragma(connection: Connection, name: str) -> int:
    found = connection.one(f"PRAGMA {name}")
    return int(found[0]) if found else 0
