"""Hash pictures, so that a gallery knows them again."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence


def picture_hash(content: bytes, box: Sequence[float] | None = None) -> bytes:
    """Return the SHA-256 of a file, and of the box in it if there is one; 32 bytes.

    Args:
        content: The bytes of the file.
        box: Left, top, width and height in pixels. None: the whole picture.
    """
    digest = hashlib.sha256(content)
    if box is not None:
        digest.update(",".join(f"{value:g}" for value in box).encode())
    return digest.digest()
