"""Moments as people write them and as programs read them: seconds since 1970, in UTC."""

from __future__ import annotations

from datetime import datetime, timezone

_FIRST, _LAST = -62135596800.0, 253402300799.0  # years 1 and 9999: what calendars have


def unix_seconds(moment: datetime) -> float:
    """Return the seconds since 1970 of a moment; one without a zone is UTC."""
    return (moment if moment.tzinfo else moment.replace(tzinfo=timezone.utc)).timestamp()


def read_moment(text: str) -> float | None:
    """Read ISO 8601 or seconds since 1970; None for a text that is neither, or of no calendar.

    Args:
        text: ``2026-11-26``, ``2026-11-26T14:30``, ``2026-11-26T14:30:05+01:00``, or a number.
            Without a zone it is UTC.
    """
    text = text.strip()
    try:
        seconds = float(text)
    except ValueError:
        # Python 3.10 doesn't read the Z.
        plain = f"{text[:-1]}+00:00" if text[-1:] in ("z", "Z") else text
        try:
            seconds = unix_seconds(datetime.fromisoformat(plain))
        except (ValueError, OverflowError):
            return None
    return seconds if _FIRST <= seconds <= _LAST else None


def iso(seconds: float | None) -> str | None:
    """Write a moment as ISO 8601 in UTC; None where it isn't known, or no calendar has it."""
    if seconds is None or not _FIRST <= seconds <= _LAST:
        return None
    moment = datetime.fromtimestamp(round(seconds, 3), timezone.utc)
    precision = "milliseconds" if moment.microsecond else "seconds"
    return moment.isoformat(timespec=precision).replace("+00:00", "Z")
