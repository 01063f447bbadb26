"""Which kind of column holds what."""

import numpy as np
import pytest

from mmreid_ext.datasets.columns.choice import column_of, joined_columns
from mmreid_ext.datasets.columns.kinds import (
    MISSING,
    BoxColumn,
    IntColumn,
    NoColumn,
    OtherColumn,
    WordColumn,
)
from mmreid_ext.datasets.columns.paths import PathColumn

BOX = (1.0, 2.0, 3.0, 4.0)
CASES = [
    ("img_path", ["a", "b"], PathColumn),
    ("img_path", ["a", MISSING], WordColumn),
    ("pid", [1, MISSING, -5], IntColumn),
    ("pid", [1, True], OtherColumn),
    ("pid", [1, 2**63], OtherColumn),
    ("pid", [1, np.int64(1)], OtherColumn),
    ("role", ["a", MISSING], WordColumn),
    ("role", ["a", 1], OtherColumn),
    ("box", [BOX, MISSING], BoxColumn),
    ("box", [(1, 2, 3, 4)], OtherColumn),
    ("box", [list(BOX)], OtherColumn),
    ("box", [(float("nan"), 0.0, 1.0, 1.0), None], OtherColumn),
]


@pytest.mark.parametrize("key, values, kind", CASES)
def test_the_kind_is_the_smallest_that_gives_back_the_same(key, values, kind):
    column = column_of(key, values)
    assert type(column) is kind
    found = column.values(0, len(values))
    assert list(map(repr, found)) == list(map(repr, values))


@pytest.mark.parametrize("key, values, kind", CASES)
def test_columns_join_with_columns_of_any_kind(key, values, kind):
    column, count = column_of(key, values), len(values)
    for other, more in (
        (NoColumn(2), [MISSING] * 2),
        (IntColumn(np.array([7])), [7]),
        (column_of(key, ["x"]), ["x"]),
    ):
        joined = joined_columns([column, other, column])
        expected = list(map(repr, values + more + values))
        assert list(map(repr, joined.values(0, 2 * count + 2))) == expected
    assert type(joined_columns([column, column])) is kind
