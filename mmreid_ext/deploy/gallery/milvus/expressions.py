"""Write conditions as Milvus reads them; text from outside stays text."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from mmreid_ext.deploy.gallery.records import Filters, Moment

_ESCAPES = str.maketrans({"\\": "\\\\", '"': '\\"', "\n": "\\n", "\r": "\\r", "\t": "\\t"})

UNKNOWN = ""
"""Stands for an unknown name: a field without a value would be compared by each server in its own
way."""

NO_TIME = -1e300
"""Stands for an unknown time; before every time that is asked for."""

EVERYTHING = "id >= 0"
NOTHING = "id < 0"


def literal(text: str) -> str:
    """Write text as a literal of Milvus.

    Args:
        text: Any text; quotes, backslashes and line breaks are escaped.
    """
    return f'"{text.translate(_ESCAPES)}"'


def one_of(field: str, names: Sequence[str]) -> str:
    """Say that a field has one of the names."""
    if not names:
        return NOTHING
    return f"{field} in [{', '.join(map(literal, names))}]"


def none_of(field: str, names: Sequence[str]) -> str:
    """Say that a field is known, and has none of the names."""
    return f"{field} not in [{', '.join(map(literal, dict.fromkeys([UNKNOWN, *names])))}]"


def conditions(filters: Filters, not_camera: str | None = None) -> str:
    """Write the conditions of a search.

    Args:
        filters: As a store gets them, with moments in unix seconds.
        not_camera: A further camera that isn't wanted; None: no such condition.
    """
    found = []
    if filters.cameras is not None:
        found.append(one_of("camera", filters.cameras))
    if filters.identities is not None:
        found.append(one_of("identity", filters.identities))
    if filters.not_cameras is not None:
        found.append(none_of("camera", filters.not_cameras))
    if not_camera is not None:
        found.append(none_of("camera", [not_camera]))
    if filters.since is not None or filters.until is not None:
        found.append(f"time > {NO_TIME!r}")
    if filters.since is not None:
        found.append(f"time >= {_number(filters.since)}")
    if filters.until is not None:
        found.append(f"time < {_number(filters.until)}")
    return both(found)


def _number(moment: Moment) -> str:
    return repr(float(moment))  # type: ignore[arg-type]


def ids(numbers: Iterable[int]) -> str:
    """Say that a row has one of the ids."""
    return f"id in [{', '.join(str(int(number)) for number in numbers)}]"


def both(parts: Iterable[str]) -> str:
    """Join conditions that must all hold; none holds for everything."""
    return " and ".join(f"({part})" for part in parts) or EVERYTHING
