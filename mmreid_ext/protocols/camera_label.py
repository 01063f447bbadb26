"""Name cameras in pictures and messages: one rule for all."""

from __future__ import annotations

UNKNOWN_CAMERA = "unknown camera"


def camera_label(camid: int) -> str:
    """Name a camera as people count: ``camid`` counts from 0, names of files and labels from 1.

    Args:
        camid: Number of the camera; below 0: unknown.

    Returns:
        ``'cam 2'`` for 1 (``0023_c2…`` in Market-1501), or ``'unknown camera'``.
    """
    return UNKNOWN_CAMERA if camid < 0 else f"cam {int(camid) + 1}"
