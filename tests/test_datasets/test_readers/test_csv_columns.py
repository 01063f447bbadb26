"""Rows of a CSV list become records, chunk by chunk or row by row."""

import pytest

from mmreid_ext.datasets.columns.table import CHUNK
from mmreid_ext.datasets.readers.csv_columns import CSVColumns
from mmreid_ext.errors import UserError

NAMES = ("path", "pid", "camid", "split", "domain")


def rows_of(*texts):
    return [(line, text.split(",")) for line, text in enumerate(texts, 2)]


def test_records_are_those_of_the_rows(tmp_path):
    found = CSVColumns(tmp_path / "a.csv", NAMES)
    rows = rows_of("x/a.jpg,ann,1,train,d", "x\\b.jpg,bob,,query,", "/abs/c.jpg,ann,2,gallery,e")
    assert found.extend(rows) == 3
    common = dict(role="train", domain=0)
    assert found.table() == [
        dict(img_path=f"{tmp_path}/x/a.jpg", pid=0, camid=1, pid_name="ann", **common),
        dict(img_path=f"{tmp_path}/x/b.jpg", pid=1, camid=-1, pid_name="bob")
        | dict(role="query", domain=-1),
        dict(img_path="/abs/c.jpg", pid=0, camid=2, pid_name="ann")
        | dict(role="gallery", domain=1),
    ]


@pytest.mark.parametrize(
    "path", ["a.jpg", "./a.jpg", "x//b.jpg", "x/./b.jpg", "x/../b", "..", ".", "x/", "/r.jpg", "/"]
)
def test_paths_are_joined_as_pathlib_does(tmp_path, path):
    found = CSVColumns(tmp_path / "a.csv", NAMES)
    found.extend(rows_of(f"{path},1,,train,"))
    assert found.table()[0]["img_path"] == str(tmp_path / path)


def test_a_wrong_row_far_down_is_named_or_left_out(tmp_path):
    good = [f"{number}.jpg,{number % 9},0,train," for number in range(2 * CHUNK)]
    rows = rows_of(*good, "x.jpg,none,0,train,", "y.jpg,3,0,trian,", "z.jpg,3,0,train,")
    with pytest.raises(UserError, match=rf"line {2 * CHUNK + 2}: path 'x.jpg' and pid 'none'"):
        CSVColumns(tmp_path / "a.csv", NAMES).extend(rows)
    found, wrong = CSVColumns(tmp_path / "a.csv", NAMES), []
    assert found.extend(rows, wrong) == 2 * CHUNK + 3
    assert [text.split(":")[0][-4:] for text in wrong] == [
        str(2 * CHUNK + 2),
        str(2 * CHUNK + 3),
    ]
    assert len(found) == len(found.table()) == 2 * CHUNK + 1
    assert [record["pid"] for record in found.table()] == [n % 9 for n in range(2 * CHUNK)] + [3]


@pytest.mark.parametrize("row", ["x.jpg,3,0,{},", "{},,0,train,"])
def test_long_values_are_quoted_in_short(tmp_path, row):
    with pytest.raises(UserError, match="'9{79}…'") as error:
        CSVColumns(tmp_path / "a.csv", NAMES).extend(rows_of(row.format("9" * 9999)))
    assert len(str(error.value)) < 400 + len(str(tmp_path))


def test_an_empty_list_is_an_empty_table(tmp_path):
    found = CSVColumns(tmp_path / "a.csv", (*NAMES, "x", "y", "w", "h"))
    assert found.extend([]) == 0 and found.table() == []
