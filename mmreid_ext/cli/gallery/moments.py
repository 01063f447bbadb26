"""Moments: as people write them, as files record them, as tables show them; all in UTC."""

from __future__ import annotations

import math
import os
from datetime import datetime, timedelta, timezone

from PIL import Image

from mmreid_ext.errors import UserError

_EXIF_PART = 0x8769
_TAKEN, _ZONE = 0x9003, 0x9011  # DateTimeOriginal, OffsetTimeOriginal


def unix_seconds(text: str, owner: str) -> float:
    """Read a moment: ISO 8601, or seconds since 1970.

    Args:
        text: ``2026-11-26``, ``2026-11-26T14:30``, ``2026-11-26T14:30:05+01:00``, or a number.
            Without a zone it is UTC.
        owner: What messages call it: an option, or a file and its line.

    Raises:
        UserError: If it is neither.
    """
    try:
        seconds = float(text)
    except ValueError:
        try:
            moment = datetime.fromisoformat(text.strip().replace("Z", "+00:00"))
        except ValueError:
            raise UserError(
                f"{owner}: {text!r} is no moment; write it as 2026-11-26T14:30 (in UTC), with a "
                "zone as 2026-11-26T14:30+01:00, or as seconds since 1970."
            ) from None
        seconds = (moment if moment.tzinfo else moment.replace(tzinfo=timezone.utc)).timestamp()
    if not math.isfinite(seconds):
        raise UserError(f"{owner}: {text!r} isn't a finite number of seconds.")
    return seconds


def shown(seconds: float | None) -> str:
    """Write a moment as ``2026-11-26 14:30:05``, in UTC; empty where unknown."""
    if seconds is None:
        return ""
    try:
        moment = datetime(1970, 1, 1, tzinfo=timezone.utc) + timedelta(seconds=round(seconds))
    except OverflowError:
        return f"{seconds:g}"
    return moment.strftime("%Y-%m-%d %H:%M:%S")


def iso(seconds: float | None) -> str | None:
    """Write a moment as ISO 8601 in UTC, for programs."""
    text = shown(seconds)
    return text.replace(" ", "T") + "Z" if text else None


def of_file(path: str | os.PathLike) -> float:
    """Return when a file was changed last."""
    return os.stat(path).st_mtime


def of_camera(path: str | os.PathLike) -> float | None:
    """Return when a camera took a picture, by the picture's EXIF; None if it doesn't say.

    Cameras seldom record their zone. Without it the moment is taken for UTC.
    """
    try:
        with Image.open(path) as picture:
            part = picture.getexif().get_ifd(_EXIF_PART)
    # Pillow raises a dozen types; the loader says what is wrong with the file.
    except Exception:  # noqa: BLE001
        return None
    taken, zone = part.get(_TAKEN), part.get(_ZONE)
    if not isinstance(taken, str):
        return None
    try:
        moment = datetime.strptime(taken.strip("\0 "), "%Y:%m:%d %H:%M:%S")
        offset = f"{moment.isoformat()}{zone.strip()}" if isinstance(zone, str) else None
        moment = datetime.fromisoformat(offset.replace("Z", "+00:00")) if offset else moment
    except ValueError:
        return None
    return (moment if moment.tzinfo else moment.replace(tzinfo=timezone.utc)).timestamp()
