"""Make the small JPEG files that galleries keep of pictures."""

from __future__ import annotations

import cv2
import numpy as np

THUMBNAIL_SIDE = 160
"""Longer side in pixels, where nothing else is asked for."""

_QUALITY = 80


def jpeg_thumbnail(image: np.ndarray, side: int = THUMBNAIL_SIDE) -> bytes:
    """Return a small JPEG file of a picture, without metadata.

    Args:
        image: Shape (H, W, 3), uint8, BGR.
        side: Longer side in pixels; smaller pictures stay as they are.
    """
    height, width = image.shape[:2]
    scale = min(1.0, side / max(height, width))
    if scale < 1:
        size = max(1, round(width * scale)), max(1, round(height * scale))
        image = cv2.resize(image, size, interpolation=cv2.INTER_AREA)
    done, content = cv2.imencode(".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, _QUALITY])
    if not done:
        raise RuntimeError("OpenCV writes no JPEG file.")
    return content.tobytes()
