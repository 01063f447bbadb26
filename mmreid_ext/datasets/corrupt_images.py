"""Images that cannot be decoded: an error that names the file, or a replacement that is counted."""

from __future__ import annotations

import errno
import logging
import os
from typing import Any

import cv2
import numpy as np
import torch
from mmengine.logging import print_log

from mmreid_ext.errors import UserError

from .picture_file import check_picture, read_regular_file, without_alpha

# Of the machine, not of the picture: too many open files, no memory, no room.
_MACHINE = frozenset((errno.EMFILE, errno.ENFILE, errno.ENOMEM, errno.ENOSPC, errno.EDQUOT))


class UnreadableImageError(UserError, OSError):
    """An image file is missing, empty, cut off or not an image."""


def load_image(loader: Any, record: dict) -> dict:
    """Run the loading transform of a pipeline.

    Files on this machine are checked first (see :func:`~.picture_file.check_picture`), and
    transparent parts become black.

    Args:
        loader: The first transform of the pipeline. Where it has a true ``refuses_cut_off``, it
            does all that itself, and the file is not looked at again.
        record: The image record, with ``img_path``.

    Raises:
        UnreadableImageError: Whatever is wrong with the file, with its name.
        OSError, MemoryError: If the machine has no memory, no room or no more open files to give;
            no picture is to blame for that.
    """
    cause = None
    try:
        if getattr(loader, "refuses_cut_off", False):
            results = loader(record)
        else:
            results = _load_checked(loader, record)
    except Exception as error:  # decoders raise OSError, ValueError, AssertionError, cv2.error, ...
        if _is_of_the_machine(error):
            raise
        results, cause = None, error
    if results is None:
        reason = "the loader returned None" if cause is None else str(cause) or repr(cause)
        skip = ", or train with on_corrupt='skip'" if record.get("role") == "train" else ""
        raise UnreadableImageError(
            f"Cannot read image {record['img_path']!r}{_owner(record)}: {reason}. Restore or "
            f"delete the file{skip}."
        ) from cause
    return results


def _owner(record: dict) -> str:
    if not record.get("dataset"):
        return ""
    person = record.get("pid_name", record.get("pid"))
    return f" of {record['dataset']!r} (identity {person})"


def _load_checked(loader: Any, record: dict) -> dict | None:
    path, content = record["img_path"], None
    if os.path.exists(path):  # else it is missing, or in an object store: the loader knows
        content = read_regular_file(path)
        check_picture(content)
    results = loader(record)
    if content is not None and isinstance((results or {}).get("img"), np.ndarray):
        results["img"] = without_alpha(results["img"], content)
    return results


def _is_of_the_machine(error: Exception) -> bool:
    if isinstance(error, cv2.error):
        return error.code == cv2.Error.StsNoMem
    return isinstance(error, MemoryError) or getattr(error, "errno", None) in _MACHINE


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
