"""Where the pictures of a table are, and which records are of one picture."""

import numpy as np
import pytest
from helpers.fake_images import write_images

from mmreid_ext.datasets.checks import located
from mmreid_ext.datasets.checks.image_files import locate
from mmreid_ext.datasets.checks.located import Located
from mmreid_ext.datasets.columns.table import RecordTable

BOX = (1.0, 2.0, 3.0, 4.0)


@pytest.fixture
def paths(tmp_path):
    names = [f"many/{number}.png" for number in range(40)]
    write_images(tmp_path, *names, "few/a.png", "few/b#1.png")
    (tmp_path / "many" / "link.png").symlink_to("3.png")
    (tmp_path / "door").symlink_to(tmp_path / "many")
    names += ["many/link.png", "door/5.png", "many/none.png", "few/a.png", "few/b#1.png", "few"]
    names += ["many/../many/7.png", "none/x.png", "few/a.png#xywh=1,2,3,4"]
    return [f"{tmp_path}/{name}" for name in names] + ["s3://bucket/a.jpg", "s3://bucket/a.jpg"]


def table_of(paths, boxes=()):
    boxes = dict(boxes)
    return RecordTable.of(
        dict(img_path=path) | ({"box": boxes[row]} if row in boxes else {})
        for row, path in enumerate(paths)
    )


def test_files_are_those_that_locate_finds(paths):
    files, expected = Located(table_of(paths)), locate(paths)
    assert files.found.tolist() == [file is not None for file in expected]
    found = [files.file(row) if files.found[row] else None for row in range(len(files))]
    assert found == expected


def test_records_of_one_picture_are_found(paths):
    files, expected = Located(table_of(paths)), locate(paths)
    groups = {}
    for row, file in enumerate(expected):
        groups.setdefault(file, []).append(row)
    groups.pop(None)
    assert files.repeated() == [rows for rows in groups.values() if len(rows) > 1] != []
    seen = [file or path for file, path in zip(expected, paths, strict=True)]
    assert files.first_of_each().tolist() == [
        row for row, key in enumerate(seen) if key not in seen[:row]
    ]


def test_hashes_that_collide_merge_nothing(paths, monkeypatch):
    plain = Located(table_of(paths))
    monkeypatch.setattr(located, "hash", lambda text: 7, raising=False)
    files = Located(table_of(paths))
    assert set(files.marks.tolist()) == {7}
    assert files.repeated() == plain.repeated()
    assert files.first_of_each().tolist() == plain.first_of_each().tolist()
    assert files.shared_with([files]) == plain.shared_with([plain])


def test_parts_of_a_picture_are_pictures_of_their_own(paths):
    few = [paths[0], paths[0], paths[0], paths[1]]
    files = Located(table_of(few, {0: BOX, 1: BOX}))
    assert files.repeated() == [[0, 1]] and files.file(0) == f"{few[0]}#xywh=1,2,3,4"
    assert files.picture_rows().tolist() == [0, 3]
    assert files.picture_file(1) == few[0]


def test_remote_pictures_are_not_looked_into(paths):
    rows = Located(table_of(paths)).picture_rows()
    assert len(rows) == 42 and not any("://" in paths[row] for row in rows.tolist())


def test_copies_are_alike_by_content(paths, tmp_path):
    (tmp_path / "copy.png").write_bytes((tmp_path / "many" / "2.png").read_bytes())
    given = [*paths[:4], f"{tmp_path}/copy.png", f"{tmp_path}/none.png"]
    assert Located(table_of(given)).repeated() == []
    files = Located(table_of(given), by_content=True)
    assert files.repeated() == [[2, 4]]
    assert files.first_of_each().tolist() == [0, 1, 2, 3, 5]


def test_shared_pictures_of_two_tables(paths):
    one, other = Located(table_of(paths[:10])), Located(table_of([paths[3], paths[41], paths[20]]))
    assert one.shared_with([other]) == [(3, locate(paths)[3]), (5, locate(paths)[5])]
    assert np.array_equal(one.found, np.ones(10, dtype=bool))
