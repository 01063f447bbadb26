"""Apply the camera rule: which images may be a match of a query, for arrays and tensors."""

from __future__ import annotations

from typing import Any


def other_camera(query: Any, gallery: Any) -> Any:
    """Return whether two images are known to come from different cameras.

    An unknown camera (below 0) may be the query's own. So a match counts only where both cameras
    are known and differ: an unknown one never raises a score.

    Args:
        query: Cameras of queries: a number, a NumPy array or a tensor.
        gallery: Cameras of gallery images, of a shape that broadcasts.

    Returns:
        Booleans, of the kind and the common shape of the arguments.
    """
    return (query != gallery) & (query >= 0) & (gallery >= 0)
