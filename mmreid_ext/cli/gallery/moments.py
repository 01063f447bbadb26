"""Moments: as options give them, as files record them, as tables show them; all in UTC."""

from __future__ import annotations

import os
from datetime import datetime

from PIL import Image

from mmreid_ext.errors import UserError
from mmreid_ext.moments import iso, read_moment, unix_seconds

_EXIF_PART = 0x8769
_TAKEN, _ZONE = 0x9003, 0x9011  # DateTimeOriginal, OffsetTimeOriginal


def moment_of(text: str, owner: str) -> float:
    """Read a moment as :func:`~mmreid_ext.moments.read_moment` does.

    Args:
        text: ISO 8601, or seconds since 1970.
        owner: What messages call it: an option, or a file and its line.

    Raises:
        UserError: If it is no moment.
    """
    seconds = read_moment(text)
    if seconds is None:
        raise UserError(
            f"{owner}: {text!r} is no moment; write it as 2026-11-26T14:30 (in UTC), with a "
            "zone as 2026-11-26T14:30+01:00, or as seconds since 1970."
        )
    return seconds


def shown(seconds: float | None) -> str:
    """Write a moment as ``2026-11-26 14:30:05``, in UTC; empty where unknown."""
    if seconds is None:
        return ""
    text = iso(round(seconds))
    return f"{seconds:g}" if text is None else text.rstrip("Z").replace("T", " ")


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
    return unix_seconds(moment)
