"""Count the images that cannot be decoded, and choose what replaces them in training."""

from __future__ import annotations

import logging

import numpy as np
import torch
from mmengine.logging import print_log

from .loading import UnreadableImageError, load_image

# The two of `loading` are imported from here by older code.
__all__ = ["CorruptImages", "UnreadableImageError", "load_image", "replacements"]


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
    """Return images to try instead of ``index``, best first; a function of its arguments only.

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
