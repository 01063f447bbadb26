"""Turn settings and results into what JSON can hold, and read JSON of strangers."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

DEEPEST = 100
"""Levels of a document; whatever copies or compares a deeper one would end in the middle."""


def read_json(text: str | bytes, **options: Any) -> Any:
    """Read a document that is nested no deeper than other code can follow.

    Args:
        text: The document.
        **options: Those of :func:`json.loads`.

    Raises:
        ValueError: If it is no JSON, has numbers that are too long, or is nested too deeply.
    """
    try:
        found = json.loads(text, **options)
    except RecursionError:
        raise ValueError(f"it is nested deeper than {DEEPEST} levels") from None
    level = [found]
    for _ in range(DEEPEST):
        level = [
            item
            for value in level
            if isinstance(value, (dict, list))
            for item in (value.values() if isinstance(value, dict) else value)
        ]
        if not level:
            return found
    raise ValueError(f"it is nested deeper than {DEEPEST} levels")


def bare_name(kind: type) -> str:
    """Name a class as a configuration does."""
    return kind.__name__


def full_name(kind: type) -> str:
    """Name a class with its module."""
    return f"{kind.__module__}.{kind.__qualname__}"


def plain_json(
    value: Any, name_class: Callable[[type], str] = bare_name, *, finite: bool = True
) -> Any:
    """Copy ``value`` as JSON types: objects, lists, numbers, text, null.

    Arrays become lists; keys and whatever else there is become text.

    Args:
        value: Nested settings or results.
        name_class: Names the classes that a pure-Python configuration holds.
        finite: Whether infinity and NaN, which JSON lacks, become null. False keeps them.
    """
    if isinstance(value, Mapping):
        items = value.items()
        return {str(key): plain_json(item, name_class, finite=finite) for key, item in items}
    if isinstance(value, (list, tuple)):
        return [plain_json(item, name_class, finite=finite) for item in value]
    if isinstance(value, (np.ndarray, np.generic)):
        return plain_json(value.tolist(), name_class, finite=finite)
    if isinstance(value, float):
        return value if math.isfinite(value) or not finite else None
    if value is None or isinstance(value, (str, bool, int)):
        return value
    return name_class(value) if isinstance(value, type) else str(value)
