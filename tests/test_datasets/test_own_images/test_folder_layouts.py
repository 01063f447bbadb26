import pytest
from helpers.fake_images import write_images

from mmreid_ext.datasets.own_images.folder_layouts import (
    is_picture,
    looks_like_cameras,
    picture_depths,
    read_camera_folders,
    read_folders,
    read_folders_with_cameras,
    read_names,
    walk,
)
from mmreid_ext.errors import UserError


def seen(found):
    return [(image.path.name, image.person, image.camera) for image in found.images]


def test_one_folder_per_person(tmp_path):
    write_images(tmp_path, "lea/1.jpg", "lea/more/2.PNG", "Zoë/1.jpg", "loose.jpg")
    (tmp_path / "nobody").mkdir()
    (tmp_path / "lea" / "notes.txt").write_text("x")
    write_images(tmp_path, ".hidden/1.jpg", "lea/._1.jpg", "__MACOSX/lea/1.jpg")
    found = read_folders(tmp_path)
    assert sorted(seen(found)) == [("1.jpg", "Zoë", ""), ("1.jpg", "lea", ""), ("2.PNG", "lea", "")]
    assert found.left_out == {
        "not in a folder of a person": ["loose.jpg"],
        "no picture by their names": ["lea/notes.txt"],
        "empty folders": ["nobody"],
    }


def test_one_folder_per_person_and_camera(tmp_path):
    write_images(tmp_path, "lea/door/1.jpg", "lea/hall/a/2.jpg", "tom/3.jpg")
    assert seen(read_folders_with_cameras(tmp_path)) == [
        ("1.jpg", "lea", "door"), ("2.jpg", "lea", "hall"), ("3.jpg", "tom", ""),
    ]  # fmt: skip


def test_one_folder_per_camera_and_person(tmp_path):
    write_images(tmp_path, "cam1/lea/1.jpg", "cam2/lea/1.jpg")
    assert looks_like_cameras(tmp_path)
    found = read_camera_folders(tmp_path)
    assert seen(found) == [("1.jpg", "lea", "cam1"), ("1.jpg", "lea", "cam2")]
    write_images(tmp_path, "lea/cam1/1.jpg")
    assert not looks_like_cameras(tmp_path)


@pytest.mark.parametrize(
    "name, person, camera",
    [
        ("lea_1", "lea", ""),
        ("lea 12", "lea", ""),
        ("lea (3)", "lea", ""),
        ("anna-maria_07", "anna-maria", ""),
        ("lea3", "lea", ""),
        ("7_1", "7", ""),
        ("0001_c2s1_000451_03", "0001", "2"),
        ("lea_cam3_5", "lea", "3"),
        ("tom_crew_5", "tom_crew", ""),
    ],
)
def test_names_of_files(tmp_path, name, person, camera):
    write_images(tmp_path, f"{name}.jpg", "somebody_1.jpg")
    assert (f"{name}.jpg", person, camera) in seen(read_names(tmp_path))


def test_names_that_say_nobody(tmp_path):
    write_images(tmp_path, "lea_1.jpg", "tom_1.jpg", "lea.jpg", "12.jpg")
    found = read_names(tmp_path)
    assert found.left_out == {"no name and number like lea_1.jpg": ["12.jpg", "lea.jpg"]}
    write_images(tmp_path / "camera", "IMG_1.jpg", "IMG_2.jpg")
    with pytest.raises(UserError, match=r"all 2 names begin with 'IMG'.*lea/IMG_1.jpg"):
        read_names(tmp_path / "camera")


def test_parts_of_a_data_set_are_not_people(tmp_path):
    write_images(tmp_path, "train/lea/1.jpg", "test/tom/1.jpg")
    for read in (read_folders, read_folders_with_cameras):
        with pytest.raises(UserError, match="called test, train; these are parts"):
            read(tmp_path)


def test_a_file_is_no_folder(tmp_path):
    with pytest.raises(UserError, match="is a file; the layout 'folders'"):
        read_folders(write_images(tmp_path, "a.jpg") / "a.jpg")


def test_pictures_are_counted_by_depth(tmp_path):
    write_images(tmp_path, "a.jpg", "b/1.jpg", "b/c/1.jpg", "b/c/d/2.jpg")
    assert picture_depths(tmp_path) == {0: 1, 1: 1, 2: 2}
    assert is_picture("a.HEIC") and not is_picture("a.txt")
    assert (("b", "c"), "1.jpg") in list(walk(tmp_path))
