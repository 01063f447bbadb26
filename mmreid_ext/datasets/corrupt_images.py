"""Images that cannot be decoded: an error that names the file, or a replacement that is counted."""

from __future__ import annotations

import logging
import os
from typing import Any, BinaryIO

import numpy as np
import torch
from mmengine.logging import print_log

from mmreid_ext.errors import UserError

CUT_OFF = "the file is cut off"
_JPEG_START, _JPEG_END = b"\xff\xd8", b"\xff\xd9"
_TAIL = 1 << 16


class UnreadableImageError(UserError, OSError):
    """An image file is missing, empty, cut off or not an image."""


def lacks_end(file: BinaryIO) -> bool:
    """Whether a JPEG file, open for reading, lacks its end, as after an interrupted copy.

    OpenCV 4 decodes such files without an error, even when half of the picture is missing; OpenCV 5
    and the decoders of other formats refuse them.
    """
    if file.read(2) != _JPEG_START:
        return False
    size = file.seek(0, os.SEEK_END)
    for length in (2, _TAIL):  # the second look allows for bytes appended after the end
        file.seek(max(size - length, 0))
        if _JPEG_END in file.read():
            return False
    return True


def is_cut_off(path: str) -> bool:
    """Whether the file of that name is a JPEG file that lacks its end."""
    with open(path, "rb") as file:
        return lacks_end(file)


def load_image(loader: Any, record: dict) -> dict:
    """Run the loading transform of a pipeline.

    Args:
        loader: The first transform of the pipeline. Where it has a true ``refuses_cut_off``, the
            file is not looked at again.
        record: The image record, with ``img_path``.

    Raises:
        UnreadableImageError: Whatever the loader failed with, with the file's name.
    """
    path, cause = record["img_path"], None
    try:
        results = loader(record)
        looked_at = results is None or getattr(loader, "refuses_cut_off", False)
        if not looked_at and os.path.isfile(path) and is_cut_off(path):
            results, cause = None, OSError(CUT_OFF)
    except Exception as error:  # decoders raise OSError, ValueError, AssertionError, cv2.error, ...
        results, cause = None, error
    if results is None:
        reason = "the loader returned None" if cause is None else str(cause) or repr(cause)
        raise UnreadableImageError(
            f"Cannot read image {path!r} of {record.get('dataset')!r} (identity "
            f"{record.get('pid')}): {reason}. Restore or delete the file, or train with "
            "on_corrupt='skip'."
        ) from cause
    return results


class CorruptImages:
    """Register of unreadable images, shared with the worker processes of data loaders.

    Args:
        size: Number of images of the dataset.
    """

    def __init__(self, size: int) -> None:
        self._found = torch.zeros(size, dtype=torch.bool).share_memory_()

    def __len__(self) -> int:
        return int(self._found.sum())

    @property
    def indices(self) -> list[int]:
        """Dataset indices found unreadable so far, by any worker."""
        return self._found.nonzero().flatten().tolist()

    def add(self, index: int, error: UnreadableImageError, replacement: str) -> None:
        """Count an image and report it once."""
        if self._found[index]:
            return
        self._found[index] = True
        print_log(
            f"{error} Replaced by {replacement!r}; {len(self)} unreadable images so far.",
            logger="current",
            level=logging.WARNING,
        )


def replacements(index: int, labels: np.ndarray, groups: np.ndarray) -> np.ndarray:
    """Images to try instead of ``index``, best first; a function of its arguments only.

    Args:
        index: Index of the unreadable image.
        labels: Identity label of every image, shape (N,).
        groups: Domain of every image, shape (N,).

    Returns:
        The following images of the same identity in cyclic order: those of its domain, then those
        of others.
    """
    same = np.flatnonzero(labels == labels[index])
    after = np.roll(same, -int(np.searchsorted(same, index)))[1:]
    elsewhere = groups[after] != groups[index]
    return after[np.argsort(elsewhere, kind="stable")]
