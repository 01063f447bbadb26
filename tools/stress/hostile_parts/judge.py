"""Decide whether a program came away unharmed from a hostile file."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

from .attack import CANARY, Attack
from .child import Outcome

MORE_MEMORY = 300 * 2**20
"""Bytes that a hostile file may cost beyond an honest one of its kind."""

MORE_CPU = 15.0
"""Processor seconds that it may cost beyond one."""

SOME_UNREADABLE = 3
"""Exit code of the tools where some pictures couldn't be read; a list says which."""

_OF_SQLITE = (".db-shm", ".db-wal")
"""Files that SQLite has beside a database while it is read."""

ENDS = (0, 1, 2, SOME_UNREADABLE)
"""Exit codes of the tools."""


def snapshot(world: Path, apart: tuple[str, ...]) -> dict[str, str]:
    """Return a digest of every file and folder of the world, some of its folders apart."""
    found = {}
    for folder, folders, files in os.walk(world):
        if Path(folder) == world:
            folders[:] = [name for name in folders if name not in apart]
        for name in folders:
            found[os.path.join(folder, name)] = "folder"
        for name in files:
            path = Path(folder, name)
            content = str(path.readlink()).encode() if path.is_symlink() else path.read_bytes()
            found[str(path)] = hashlib.sha256(content).hexdigest()
    return found


def faults(
    attack: Attack,
    outcome: Outcome,
    honest: Outcome,
    before: dict[str, str],
    after: dict[str, str],
    reports: bool,
) -> list[str]:
    """List what went wrong; empty if the program passed.

    Args:
        attack: The file.
        outcome: How the program ended.
        honest: How it ends with an honest file.
        before: The world before, see :func:`snapshot`.
        after: The world afterwards.
        reports: Whether exit code 1 may mean a report of faults instead of an error.
    """
    wrong = []
    if any(os.path.basename(path) == CANARY for path in after):
        wrong.append("CODE WAS EXECUTED")
    changed = sorted(p for p in {*before, *after} if before.get(p) != after.get(p))
    apart = (CANARY, *_OF_SQLITE)
    wrong += [f"changed {path}" for path in changed if not path.endswith(apart)]
    if outcome.code not in ENDS:
        wrong.append(f"ended with {outcome.code}")
    if "Traceback (most recent" in outcome.text:
        wrong.append("a traceback: " + outcome.text.strip().rpartition("\n")[2][:120])
    if "\x1b" in outcome.text:
        wrong.append("a control character was printed")
    lines = [line for line in outcome.text.split("\n") if "error: " in line]
    told = reports or outcome.code == SOME_UNREADABLE
    if outcome.code and not lines and not told and not wrong:
        wrong.append(f"code {outcome.code} without a line of error")
    if lines and max(map(len, lines)) > 3500:
        wrong.append(f"an error of {max(map(len, lines)):,} characters")
    if outcome.code == 0 and not attack.harmless:
        wrong.append("accepted")
    if outcome.memory > honest.memory + MORE_MEMORY:
        wrong.append(f"took {outcome.memory / 2**20:,.0f} MB")
    if outcome.cpu > honest.cpu + MORE_CPU:
        wrong.append(f"took {outcome.cpu:.0f} s")
    return wrong
