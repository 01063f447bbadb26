"""Choose the kind of column that holds given values in the least memory."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from .kinds import (
    MISSING,
    BoxColumn,
    Column,
    IntColumn,
    Missing,
    NoColumn,
    OtherColumn,
    WordColumn,
    smallest_type,
)
from .paths import PathColumn

INT64 = range(-(2**63), 2**63)
"""What a column of integers holds."""


def column_of(key: str, values: list) -> Column:
    """Hold values as their types allow; what is read back is equal, and of the same type.

    Args:
        key: Their key in the records.
        values: One of each record, or :data:`.kinds.MISSING`.
    """
    kinds = set(map(type, values))
    if key == "img_path" and kinds == {str}:
        return PathColumn.of(values)
    given = None
    if Missing in kinds:
        given = np.array([value is not MISSING for value in values])
        kinds.discard(Missing)
    if kinds == {int} and all(value is MISSING or value in INT64 for value in values):
        numbers = [0 if value is MISSING else value for value in values]
        return IntColumn(np.array(numbers, dtype=np.int64), given)
    if kinds == {str}:
        return WordColumn.of(values)
    if key == "box" and all(value is MISSING or _is_box(value) for value in values):
        return BoxColumn.of(values)
    return OtherColumn(values)


def _is_box(value: Any) -> bool:
    """Whether it is a tuple of four floats, none of them NaN."""
    return (
        type(value) is tuple
        and len(value) == 4
        and all(type(edge) is float and edge == edge for edge in value)
    )


def joined_columns(parts: Sequence[Column]) -> Column:
    """String columns of one key together.

    Args:
        parts: Columns of any kinds; a :class:`NoColumn` for records without the key.
    """
    if len(parts) == 1:
        return parts[0]
    kinds = {type(part) for part in parts}
    named = kinds - {NoColumn}
    kind = named.pop() if len(named) == 1 else OtherColumn
    if kind is OtherColumn or (kind is PathColumn and NoColumn in kinds):
        return OtherColumn([value for part in parts for value in part.values(0, len(part))])
    same = [_empty(kind, len(p)) if isinstance(p, NoColumn) else p for p in parts]
    return kind.joined(same)  # type: ignore[attr-defined, no-any-return]


def _empty(kind: type, count: int) -> Column:
    """A column of one kind in which every value is missing."""
    if kind is IntColumn:
        return IntColumn(np.zeros(count, dtype=np.int64), np.zeros(count, dtype=bool))
    if kind is WordColumn:
        return WordColumn(np.zeros(count, dtype=smallest_type(1)), [MISSING])
    return BoxColumn(np.full((count, 4), np.nan))
