"""Read a picture file as training does: checked, decoded, upright, transparent parts black."""

from __future__ import annotations

import errno
import os

import cv2
import numpy as np

from mmreid_ext.errors import UserError

from .decode import decode
from .picture_file import MAX_PIXELS, check_picture, read_regular_file, without_alpha

# Of the machine, not of the picture: too many open files, no memory, no room.
_MACHINE = frozenset((errno.EMFILE, errno.ENFILE, errno.ENOMEM, errno.ENOSPC, errno.EDQUOT))


class UnreadableImageError(UserError, OSError):
    """An image file is missing, empty, cut off or not an image."""


def read_picture(path: str | os.PathLike, max_pixels: int = MAX_PIXELS) -> np.ndarray:
    """Return the picture of a file, (H, W, 3) uint8 in BGR order.

    Args:
        path: The file.
        max_pixels: Largest width times height; larger pictures aren't decoded.

    Raises:
        UnreadableImageError: Whatever is wrong with the file, with its name.
        OSError, MemoryError: If the machine has no memory or no more open files to give.
    """
    try:
        return decode_content(read_regular_file(path), max_pixels)
    except Exception as error:  # decoders raise OSError, ValueError, cv2.error, ...
        if is_of_the_machine(error):
            raise
        reason = str(error) or repr(error)
        raise UnreadableImageError(
            f"Cannot read image {os.fspath(path)!r}: {reason}. Restore or delete the file."
        ) from error


def decode_content(content: bytes, max_pixels: int = MAX_PIXELS) -> np.ndarray:
    """Return the picture in the bytes of a file, (H, W, 3) uint8 in BGR order.

    Args:
        content: The bytes.
        max_pixels: See :func:`read_picture`.

    Raises:
        OSError: If they are no picture, or one that is refused; see :func:`.check_picture`.
    """
    check_picture(content, max_pixels)
    return without_alpha(decode(content), content)


def is_of_the_machine(error: Exception) -> bool:
    """Whether an error says that the machine has no memory, no room or no more open files."""
    if isinstance(error, cv2.error):
        return error.code == cv2.Error.StsNoMem
    return isinstance(error, MemoryError) or getattr(error, "errno", None) in _MACHINE
