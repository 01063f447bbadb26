"""One hostile file: its kind, its name, how it is made."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

CANARY = "EXECUTED"
"""A file of this name in the world says that an attack ran code."""


@dataclass(frozen=True)
class Attack:
    """A file that does harm if a program trusts it.

    Attributes:
        kind: Kind of the file, which says who reads it.
        name: What is wrong with it.
        write: Writes it, given the path and the :class:`.world.World`.
        suffix: End of its name.
        harmless: Whether reading it with a right result is as good as refusing it.
        telling: Whether the short form tries it.
    """

    kind: str
    name: str
    write: Callable[[Path, Any], None]
    suffix: str
    harmless: bool = False
    telling: bool = False
