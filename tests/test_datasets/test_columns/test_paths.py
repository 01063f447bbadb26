"""Paths in one piece of memory."""

import numpy as np

from mmreid_ext.datasets.columns.paths import PathColumn

PATHS = ["a/b.jpg", "c.jpg", "/x/ä.png", "a/\udce4", "日本/名.jpg", "a/c.jpg", ""]


def test_names_of_any_letters_come_back():
    for paths in (PATHS, PATHS[:2], PATHS[::-1], []):
        column = PathColumn.of(paths)
        assert [column.get(row) for row in range(len(paths))] == paths
        assert column.values(1, 4) == paths[1:4]
        for rows in (np.array([2, 0, 0], dtype=int), np.arange(len(paths)), np.array([1])):
            if len(paths) > rows.max(initial=0):
                names = [paths[row].rpartition("/")[2] for row in rows]
                assert column.names(rows) == names


def test_each_folder_is_held_once():
    column = PathColumn.of([f"folder/{number}.jpg" for number in range(300)])
    assert column.folders == ["folder/"] and column.codes.dtype == np.uint8
    joined = PathColumn.joined([column, PathColumn.of(["other/x"]), column])
    assert joined.folders == ["folder/", "other/"]
    assert (joined.get(299), joined.get(300), joined.get(301)) == (
        "folder/299.jpg", "other/x", "folder/0.jpg",
    )  # fmt: skip


def test_a_small_selection_lets_the_rest_go():
    column = PathColumn.of([f"folder/{number:05d}.jpg" for number in range(1000)])
    few, most = column.take(np.array([7, 3])), column.take(np.arange(900))
    assert few.values(0, 2) == ["folder/00007.jpg", "folder/00003.jpg"]
    assert len(few.text) == 18 and most.text is column.text
    assert few.take(np.array([1])).get(0) == "folder/00003.jpg"


def test_long_names_and_many_bytes():
    paths = ["f/" + "x" * 300, "f/" + "ö" * 200, "f/y"]
    column = PathColumn.of(paths)
    assert column.values(0, 3) == paths and column.lengths.dtype == np.uint16
