import sys

import pytest

from mmreid_ext.datasets.own_images.tables import read_own_table
from mmreid_ext.errors import MissingPackageError, UserError


@pytest.fixture
def read(tmp_path):
    def write(text, name="list.csv", **options):
        path = tmp_path / name
        path.write_bytes(text.encode(options.pop("encoding", "utf-8")))
        return read_own_table(path, **options)

    return write


@pytest.mark.parametrize(
    "header", ["path,pid,camid", "File Name;Person;Camera", "image\tlabel\tcam", "file,id,cam_id"]
)
def test_columns_with_usual_names(read, tmp_path, header):
    separator = next(mark for mark in ",;\t" if mark in header)
    found = read(header + "\n" + separator.join(["a/1.jpg", "Lea", "door"]) + "\n")
    (image,) = found.images
    assert (image.path, image.person, image.camera) == (tmp_path / "a/1.jpg", "Lea", "door")
    assert "as person" in found.taken_for


def test_the_better_of_two_columns_is_taken_and_the_other_named(read):
    found = read("id,person,image,colour\n1,lea,a.jpg,red\n")
    assert found.images[0].person == "lea"
    assert found.notes == ["Columns that were not used: id, colour."]


@pytest.mark.parametrize(
    "text, box",
    [
        ("path,pid,x,y,w,h\na.jpg,lea,1,2,3,4\n", (1, 2, 3, 4)),
        ("path,pid,x1,y1,x2,y2\na.jpg,lea,1,2,4,6\n", (1, 2, 3, 4)),
        ("path;pid;left;top;width;height\na.jpg;lea;1,5;2;3;4\n", (1.5, 2, 3, 4)),
        ("path,pid,width,height\na.jpg,lea,64,128\n", None),
        ("path,pid,x,y,w,h\na.jpg,lea,,,,\n", None),
    ],
)
def test_boxes(read, text, box):
    assert read(text).images[0].box == box


def test_splits(read):
    found = read("path,pid,split\na,1,Train\nb,2,probe\nc,2,gallery\nd,3,val\n")
    assert [image.split for image in found.images] == ["train", "query", "gallery", "test"]
    with pytest.raises(UserError, match="line 2: split 'left', must be train"):
        read("path,pid,split\na,1,left\n")


def test_lines_that_say_nothing_are_left_out(read):
    found = read("path,pid,camid\na.jpg,1,none\n,2,0\nb.jpg,,0\n\n")
    assert [image.camera for image in found.images] == [""]
    assert found.left_out == {"lines without a path or a person": ["line 3", "line 4"]}


@pytest.mark.parametrize("text", ["a.jpg,lea\n", "", "path,colour\n"])
def test_without_a_header_it_says_what_is_expected(read, text):
    with pytest.raises(UserError, match=r"none is the .*person \(pid, person.*path,person,camera"):
        read(text)


def test_a_box_that_is_none(read):
    with pytest.raises(UserError, match="line 2: the box x=1, y=2, w=left, h=4 is not four"):
        read("path,pid,x,y,w,h\na.jpg,lea,1,2,left,4\n")


def test_pictures_may_be_elsewhere(read, tmp_path):
    found = read("path,pid\nsub\\a.jpg,1\n", pictures=tmp_path / "photos")
    assert found.images[0].path == tmp_path / "photos/sub/a.jpg"


def test_excel_without_its_package_names_it(read, monkeypatch):
    monkeypatch.setitem(sys.modules, "openpyxl", None)
    with pytest.raises(MissingPackageError, match="pip install openpyxl; or save it as CSV"):
        read("", name="list.xlsx")


def test_excel(tmp_path):
    openpyxl = pytest.importorskip("openpyxl")
    book = openpyxl.Workbook()
    for row in (["file", "person", "camera"], ["a.jpg", 7.0, "door"], ["b.jpg", "Zoë", None], []):
        book.active.append(row)
    book.save(tmp_path / "list.xlsx")
    found = read_own_table(tmp_path / "list.xlsx")
    assert [(i.path.name, i.person, i.camera) for i in found.images] == [
        ("a.jpg", "7", "door"), ("b.jpg", "Zoë", ""),
    ]  # fmt: skip


@pytest.mark.parametrize(
    "text, message",
    [
        ('path,person\n"' + "1.png,a\n" * 30_000, "line .*: field larger than .*quote"),
        (",".join(f"c{n}" for n in range(5000)), "and 4980 more"),
    ],
)
def test_tables_of_strangers(tmp_path, text, message):
    (tmp_path / "list.csv").write_text(text)
    with pytest.raises(UserError, match=message) as error:
        read_own_table(tmp_path / "list.csv")
    assert len(str(error.value)) < 1000
