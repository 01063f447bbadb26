"""Pictures are listed alike on every machine, and what can't be listed is said."""

import pytest

from mmreid_ext.apis.embedding.image_list import list_of
from mmreid_ext.errors import MissingFileError, UserError


def touch(folder, *names):
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).touch()


def test_a_folder_gives_its_pictures_with_those_of_subfolders(tmp_path):
    touch(tmp_path, "b/2.JPG", "b/10.png", "a.webp", "notes.txt", ".hidden.jpg", ".git/x.jpg")
    found = list_of(tmp_path)
    assert found.paths == ["a.webp", "b/10.png", "b/2.JPG"] and len(found) == 3
    assert found.record(1) == {"img_path": str(tmp_path / "b" / "10.png")}
    assert (found.pids, found.boxes) == ([], ())


def test_a_table_gives_labels_and_names(tmp_path):
    rows = ["path,pid,camid,split", "x\\1.jpg,lea,2,query", "x/2.jpg,ben,,gallery", "3.jpg,,1,"]
    (tmp_path / "list.csv").write_text("\n".join(rows))
    found = list_of(tmp_path / "list.csv")
    assert found.paths == ["x/1.jpg", "x/2.jpg", "3.jpg"] and found.folder == tmp_path
    assert (found.pids, found.camids) == ([1, 0, -1], [2, -1, 1])
    assert found.roles == ["query", "gallery", "gallery"]
    assert found.pid_names == {0: "ben", 1: "lea"}
    (tmp_path / "paths.csv").write_text("path\na.jpg\n")
    found = list_of(tmp_path / "paths.csv")
    assert found.paths == ["a.jpg"] and found.pids == found.camids == found.roles == []


def test_a_row_may_be_a_box(tmp_path):
    (tmp_path / "list.csv").write_text("path,x,y,w,h\nno.jpg,1,2,3,4\nno.jpg,,,,\n")
    found = list_of(tmp_path / "list.csv")
    assert found.record(0)["box"] == (1, 2, 3, 4) and "box" not in found.record(1)
    assert found.name(0) != found.name(1) == "no.jpg"


def test_a_text_file_and_a_single_picture(tmp_path):
    (tmp_path / "list.txt").write_text("b.jpg\n\n  sub\\a.png \n")
    assert list_of(tmp_path / "list.txt").paths == ["b.jpg", "sub/a.png"]
    touch(tmp_path, "one.jpg")
    assert list_of(tmp_path / "one.jpg").paths == ["one.jpg"]


def test_another_list_has_another_fingerprint(tmp_path):
    touch(tmp_path, "a.jpg", "b.jpg")
    before = list_of(tmp_path).fingerprint()
    assert list_of(tmp_path).fingerprint() == before
    touch(tmp_path, "c.jpg")
    assert list_of(tmp_path).fingerprint() != before


def test_what_cannot_be_listed(tmp_path):
    with pytest.raises(MissingFileError, match="No folder and no file .*nowhere"):
        list_of(tmp_path / "nowhere")
    with pytest.raises(UserError, match="holds no picture. Pictures end with .jpg"):
        list_of(tmp_path)
    touch(tmp_path, "model.pth")
    with pytest.raises(UserError, match="give a folder, a .csv file"):
        list_of(tmp_path / "model.pth")


def test_a_link_that_leads_back_is_not_followed_and_others_are(tmp_path):
    (tmp_path / "a" / "in").mkdir(parents=True)
    (tmp_path / "other").mkdir()
    touch(tmp_path, "a/1.jpg", "other/2.jpg")
    (tmp_path / "a" / "in" / "up").symlink_to(tmp_path / "a")
    (tmp_path / "a" / "itself").symlink_to(tmp_path / "a")
    (tmp_path / "a" / "out").symlink_to(tmp_path / "other")
    assert list_of(tmp_path / "a").paths == ["1.jpg", "out/2.jpg"]
