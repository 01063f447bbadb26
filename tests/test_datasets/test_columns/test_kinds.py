"""Columns of one kind, strung together."""

import copy
import pickle

import numpy as np
import pytest

from mmreid_ext.datasets.columns.kinds import (
    MISSING,
    BoxColumn,
    IntColumn,
    NoColumn,
    OtherColumn,
    WordColumn,
    smallest_type,
)

BOX = (1.0, 2.0, 3.0, 4.0)
COLUMNS = [
    (IntColumn(np.array([3, 4])), [3, 4]),
    (IntColumn(np.array([3, 0]), np.array([True, False])), [3, MISSING]),
    (WordColumn.of(["a", "b", "a"]), ["a", "b", "a"]),
    (WordColumn.of(["a", MISSING]), ["a", MISSING]),
    (BoxColumn.of([BOX, None, MISSING]), [BOX, MISSING, MISSING]),
    (OtherColumn([None, [1]]), [None, [1]]),
    (NoColumn(2), [MISSING, MISSING]),
]


@pytest.mark.parametrize("column, values", COLUMNS)
def test_values_come_back_one_by_one_and_together(column, values):
    assert len(column) == len(values) and column.values(0, 99) == values
    assert [column.get(row) for row in range(len(values))] == values
    assert column.take(np.array([1, 0])).values(0, 2) == [values[1], values[0]]
    assert pickle.loads(pickle.dumps(column)).values(0, 9) == values
    if hasattr(column, "joined"):
        assert type(column).joined([column, column]).values(0, 99) == values + values


def test_words_of_two_columns_keep_their_meaning():
    joined = WordColumn.joined([WordColumn.of(["b", "a"]), WordColumn.of(["a", "c"])])
    assert joined.values(0, 4) == ["b", "a", "a", "c"] and joined.words == ["b", "a", "c"]
    assert joined.equal("a").tolist() == [False, True, True, False]
    assert not joined.equal("d").any()


def test_missing_is_one_thing_wherever_it_is_copied():
    assert copy.deepcopy(MISSING) is MISSING and pickle.loads(pickle.dumps(MISSING)) is MISSING


def test_smallest_types():
    assert [smallest_type(n) for n in (0, 256, 257, 2**16, 2**16 + 1)] == [
        np.uint8, np.uint8, np.uint16, np.uint16, np.uint32,
    ]  # fmt: skip
