"""A table reads like the list of dicts that it was made of, whatever they hold."""

import copy
import pickle
import random

import numpy as np
import pytest

from mmreid_ext.datasets.columns.kinds import IntColumn, WordColumn
from mmreid_ext.datasets.columns.table import CHUNK, RecordTable
from mmreid_ext.errors import UserError, UserTypeError

PATHS = ["a/b.jpg", "c.jpg", "/x/ä/\udce4.png", "a/", "", "日本/名 1.jpg", "a/b\nc.jpg"]
VALUES = {
    "pid": [0, -1, 2**63 - 1, -(2**63)],
    "role": ["train", "query", "gallery", ""],
    "pid_name": ["ann", "Björk", "007"],
    "box": [(1.0, 2.5, 3.0, 4.0), (0.0, 0.0, 1.0, float("inf"))],
    "other": [None, 1.5, [1, 2], "x", 2**70, True, {"a": 1}, np.int64(3), (1, 2, 3, 4)],
}


def strange_records(count, seed, missing=0.2):
    rng = random.Random(seed)
    return [
        {"img_path": rng.choice(PATHS)}
        | {key: rng.choice(v) for key, v in VALUES.items() if rng.random() > missing}
        for _ in range(count)
    ]


@pytest.mark.parametrize("count", [0, 1, 7, CHUNK, 2 * CHUNK + 5])
def test_what_is_read_back_is_what_was_given(count):
    records = strange_records(count, seed=count)
    table = RecordTable.of(iter(records))
    assert len(table) == count and list(table) == records and table == records
    kinds = [[type(v) for v in r.values()] for r in table]
    assert kinds == [[type(r[key]) for key in found] for r, found in zip(records, table)]  # noqa: B905
    for row in {0, count // 2, count - 1} & set(range(count)):
        assert table[row] == records[row] and table[row - count] == records[row - count]
    assert list(table[::-2]) == records[::-2]
    rows = np.random.default_rng(0).integers(0, max(count, 1), 9 if count else 0)
    assert list(table.take(rows)) == [records[row] for row in rows]
    assert pickle.loads(pickle.dumps(table)) == records and copy.deepcopy(table) == records
    with pytest.raises(IndexError):
        table[count]


def test_tables_are_strung_together_though_their_keys_differ():
    parts = [strange_records(5, seed, missing) for seed, missing in ((1, 0), (2, 0.9), (3, 0.3))]
    parts += [[], [dict(img_path="z", extra=1)]]
    assert RecordTable.joined(list(map(RecordTable.of, parts))) == sum(parts, [])
    assert RecordTable.joined([]) == []


def test_integers_and_words_are_arrays():
    table = RecordTable.of(dict(img_path="a", pid=i, role="train") for i in range(3 * CHUNK))
    assert isinstance(table.columns["pid"], IntColumn)
    assert isinstance(table.columns["role"], WordColumn)
    assert table.columns["role"].codes.dtype == np.uint8
    assert table.ints("pid") is table.columns["pid"].numbers
    assert table.equal("role", "train").all() and not table.equal("role", "query").any()
    assert table.texts("role").tolist() == ["train"] * len(table)
    table.put("pid", np.arange(len(table)) + 1)
    table.put("dataset", "shop")
    assert table[4] == dict(img_path="a", pid=5, role="train", dataset="shop")
    with pytest.raises(KeyError):
        RecordTable.of([dict(pid=1), dict()]).ints("pid")


def test_a_selection_shares_no_change_with_its_table():
    table = RecordTable.of(dict(img_path="a", pid=i) for i in range(4))
    for rows in (np.arange(4), np.array([1, 3])):
        chosen = table.take(rows)
        chosen.put("pid", np.zeros(len(rows)))
        assert table.ints("pid").tolist() == [0, 1, 2, 3]


def test_to_write_into_a_record_is_refused():
    record = RecordTable.of([dict(img_path="a", pid=1)])[0]
    for change in (
        lambda: record.__setitem__("pid", 2),
        lambda: record.update(pid=2),
        lambda: record.pop("pid"),
    ):
        with pytest.raises(UserTypeError, match="its dict is a copy"):
            change()
    for own in (record.copy(), {**record}, copy.deepcopy(record)):
        own["pid"] = 2
    assert record == dict(img_path="a", pid=1)


def test_pictures_are_named_by_path_and_box():
    records = [dict(img_path="a/b.jpg"), dict(img_path="c.jpg", box=(1.0, 2.0, 3.0, 4.0))]
    table = RecordTable.of(records)
    assert list(table.paths()) == ["a/b.jpg", "c.jpg"]
    assert list(table.keys()) == ["a/b.jpg", "c.jpg#xywh=1,2,3,4"]


def test_a_number_beyond_64_bits_is_named():
    records = [dict(img_path="a\x1b.jpg", pid=10**30), dict(img_path="b.jpg", pid=1)]
    with pytest.raises(UserError, match=r"Image 'a .jpg': pid=1000+ is beyond 64 bits"):
        RecordTable.of(records).ints("pid")
