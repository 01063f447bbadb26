"""The pictures that are added: folders, tables, single files, and what they say about people."""

import pytest

from mmreid_ext.cli.gallery.listing import labelled, list_entries
from mmreid_ext.errors import MissingFileError, UserError


@pytest.fixture
def tree(tmp_path):
    for name in (
        "lea/door/1.jpg",
        "lea/2.png",
        "tom/door/3.JPG",
        ".hidden/4.jpg",
        "5.jpg",
        "a.txt",
    ):
        file = tmp_path / "photos" / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(b"")
    return tmp_path / "photos"


def test_a_folder_gives_its_pictures_by_name(tree):
    found = list_entries(tree)
    assert [one.source for one in found] == [
        "5.jpg",
        "lea/2.png",
        "lea/door/1.jpg",
        "tom/door/3.JPG",
    ]
    assert found[2].file == tree / "lea" / "door" / "1.jpg"
    assert {(one.identity, one.camera, one.time, one.box) for one in found} == {(None,) * 4}


def test_folders_name_people_and_cameras(tree):
    (tree / "5.jpg").unlink()
    assert [one.identity for one in list_entries(tree, "person")] == ["lea", "lea", "tom"]
    assert [one.camera for one in list_entries(tree, "camera")] == ["lea", "lea", "tom"]
    with pytest.raises(UserError, match="2.png stands in 1 of the 2 folders"):
        list_entries(tree, "person/camera")
    (tree / "lea" / "2.png").unlink()
    found = list_entries(tree, "person/camera")
    assert [(one.identity, one.camera) for one in found] == [("lea", "door"), ("tom", "door")]
    found = list_entries(tree, "camera/person")
    assert [(one.identity, one.camera) for one in found] == [("door", "lea"), ("door", "tom")]


def test_one_picture(tree):
    [one] = list_entries(tree / "lea" / "2.png")
    assert (one.file, one.source) == (tree / "lea" / "2.png", "2.png")


def test_a_table_says_more(tmp_path):
    table = tmp_path / "crops.csv"
    table.write_text(
        "path,pid,camera,time,x,y,w,h,split\n"
        "a/1.jpg,lea,door,2026-11-26T14:30Z,1,2,30,40,query\n"
        "a\\2.jpg,,,,,,,,\n",
        encoding="utf-8-sig",
    )
    one, two = list_entries(table)
    assert (one.identity, one.camera, one.time) == ("lea", "door", 1795703400.0)
    assert (one.box, one.source) == ((1, 2, 30, 40), "a/1.jpg#xywh=1,2,30,40")
    assert one.file == tmp_path / "a" / "1.jpg"
    assert (two.source, two.identity, two.camera, two.time, two.box) == ("a/2.jpg", *[None] * 4)


@pytest.mark.parametrize(
    "text, message",
    [
        ("paht\n1.jpg\n", "no column 'path'"),
        ("path,idenity\n1.jpg,a\n", "unknown column 'idenity'.*identity"),
        ("path,x,y\n1.jpg,1,1\n", "part of a box"),
        ("path,pid,person\n1.jpg,a,a\n", "twice"),
        ("path,time\n1.jpg,yesterday\n", r"crops.csv, line 2: 'yesterday' is no moment"),
        ("path,x,y,w,h\n1.jpg,1,1,0,4\n", "line 2: x,y,w,h = 1,1,0,4 holds no pixel"),
        ("path,x,y,w,h\n1.jpg,1,1,a,4\n", "isn't four numbers"),
        ("path,camera\n1.jpg\n", "line 2: more or fewer values"),
        ("path,camera\n1.jpg,a,b\n", "line 2: more or fewer values"),
        ("path,camera\n,a\n", "line 2: no path"),
        ("path\n", "holds no picture"),
        ('path\n"1.jpg\n', "no CSV file in UTF-8"),
    ],
)
def test_a_wrong_table_names_the_line(tmp_path, text, message):
    (tmp_path / "crops.csv").write_text(text)
    with pytest.raises(UserError, match=message):
        list_entries(tmp_path / "crops.csv")


def test_what_cant_be_listed(tmp_path):
    with pytest.raises(MissingFileError, match="No folder and no file"):
        list_entries(tmp_path / "none")
    with pytest.raises(UserError, match="holds no picture"):
        list_entries(tmp_path)
    (tmp_path / "notes.txt").write_text("")
    with pytest.raises(UserError, match="can't be added"):
        list_entries(tmp_path / "notes.txt")
    (tmp_path / "1.jpg").write_text("")
    with pytest.raises(UserError, match="--folders person: .* is a file"):
        list_entries(tmp_path / "1.jpg", "person")


def test_labels_fill_only_what_is_unknown(tree):
    (tree / "5.jpg").unlink()
    found = labelled(list_entries(tree, "person"), identity="nobody", camera="door", time=5.0)
    assert [(one.identity, one.camera, one.time) for one in found] == [
        ("lea", "door", 5.0),
        ("lea", "door", 5.0),
        ("tom", "door", 5.0),
    ]


def test_names_that_are_no_text(tmp_path):
    import os

    try:
        (tmp_path / os.fsdecode(b"l\xe9a")).mkdir()
    except OSError:
        pytest.skip("this file system takes text only")
    (tmp_path / os.fsdecode(b"l\xe9a") / "1.jpg").write_bytes(b"")
    [one] = list_entries(tmp_path, "person")
    assert (one.identity, one.source) == (r"l\udce9a", r"l\udce9a/1.jpg") and one.file.is_file()
