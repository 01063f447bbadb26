"""Times as people and Slurm write them: ``3h50m``, ``90s``, ``1-12:00:00``."""

from __future__ import annotations

import re

from mmreid_ext.errors import UserError

_UNITS = re.compile(r"(?:(\d+)d)?(?:(\d+)h)?(?:(\d+)m(?:in)?)?(?:(\d+)s)?", re.ASCII)
_CLOCK = re.compile(r"(?:(\d+)-)?(\d+):(\d\d):(\d\d)", re.ASCII)
_SECONDS = (86400, 3600, 60, 1)


def seconds_of(text: str) -> int:
    """Return the seconds of a duration.

    Args:
        text: Days, hours, minutes and seconds with their units (``1d2h``, ``3h50m``, ``90s``), or
            Slurm's ``[D-]H:MM:SS``.

    Raises:
        UserError: If it is neither, or nothing at all.
    """
    found = _UNITS.fullmatch(text.strip()) or _CLOCK.fullmatch(text.strip())
    seconds = 0
    if found is not None and len(text) < 30:
        numbers = (int(number or 0) for number in found.groups())
        seconds = sum(n * unit for n, unit in zip(numbers, _SECONDS, strict=True))
    if not seconds:
        raise UserError(f"time limit={text!r}, must be like 3h50m, 45m, 90s or 1-12:00:00.")
    return seconds


def shown(seconds: float) -> str:
    """Write a duration with units, to the second: 13800 is ``3h50m``."""
    rest, parts = max(round(seconds), 0), []
    for unit, name in zip(_SECONDS, "dhms", strict=True):
        number, rest = divmod(rest, unit)
        parts += [f"{number}{name}"] if number else []
    return "".join(parts) or "0s"
