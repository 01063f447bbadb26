import inspect

import pytest
from helpers.fake_images import write_images
from helpers.tools import load_tool

from mmreid_ext.datasets.own_images.layouts import LAYOUTS, read_own_images, recognised
from mmreid_ext.errors import MissingFileError, UserError


@pytest.mark.parametrize(
    "layout, names",
    [
        ("folders", ["lea/1.jpg", "tom/1.jpg", "tom/2.jpg", "loose.jpg"]),
        ("names", ["lea_1.jpg", "tom_1.jpg", "lea_2.jpg"]),
        ("folders-cameras", ["lea/door/1.jpg", "tom/hall/1.jpg"]),
        ("folders-cameras", ["lea/cam1/1.jpg", "tom/cam2/1.jpg"]),
        ("cameras-folders", ["cam1/lea/1.jpg", "cam2/tom/1.jpg"]),
        ("mot", ["img1/000001.jpg", "gt/gt.txt"]),
        ("mot", ["seq/img1/000001.jpg", "seq/gt/gt.txt"]),
    ],
)
def test_folders_are_recognised(tmp_path, layout, names):
    write_images(tmp_path, *(name for name in names if name.endswith(".jpg")))
    for name in names:
        if name.endswith(".txt"):
            (tmp_path / name).parent.mkdir()
            (tmp_path / name).write_text("1,7,0,0,4,8,1,1,1\n")
    assert recognised(tmp_path) == layout
    found = read_own_images(tmp_path)
    assert found.layout == layout and found.images


@pytest.mark.parametrize(
    "name, text, layout",
    [
        ("a.csv", "path,pid\n", "table"),
        ("a.txt", "path;pid\n", "table"),
        ("a.xlsx", "PK", "table"),
        ("a.txt", "1,2,3,4,5,6,7\n", "mot"),
        ("a.csv", "1,2,3,4,5,6,7\n", "mot"),
        ("a.json", "{}", "coco"),
    ],
)
def test_files_are_recognised(tmp_path, name, text, layout):
    (tmp_path / name).write_text(text)
    assert recognised(tmp_path / name) == layout


def test_a_named_layout_wins(tmp_path):
    write_images(tmp_path, "lea/door/1.jpg")
    assert read_own_images(tmp_path, "folders").images[0].camera == ""


def test_nothing_found(tmp_path):
    with pytest.raises(MissingFileError, match=r"there is no .*nowhere'. Expected one folder per"):
        read_own_images(tmp_path / "nowhere")
    (tmp_path / "notes.txt").write_text("x")
    with pytest.raises(UserError, match=r"no picture in it; it has notes.txt. Expected one folder"):
        read_own_images(tmp_path)
    write_images(tmp_path, "1.jpg")
    with pytest.raises(UserError, match=r"no picture of anybody .*1 left out, no name and number"):
        read_own_images(tmp_path)
    (tmp_path / "a.mp4").write_text("x")
    with pytest.raises(UserError, match="a file of this kind is not known"):
        read_own_images(tmp_path / "a.mp4")


def test_the_command_line_knows_all_layouts():
    """It names them itself, so that --help loads nothing."""
    assert tuple(LAYOUTS) == load_tool("prepare_folder").LAYOUTS
    assert all(len(inspect.signature(read).parameters) == 2 for read in LAYOUTS.values())
