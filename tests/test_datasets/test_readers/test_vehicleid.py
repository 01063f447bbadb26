"""VehicleID: lists of images, and its protocol of random galleries."""

import pytest
from helpers.fake_images import write_images
from helpers.reader_trees import rows

from mmreid_ext.datasets import VehicleID, reid_dataset
from mmreid_ext.errors import MissingFileError, UserError

TRAIN = ["0000001 9", "0000002 9", "0000003 70"]
TEST = ["0000004 5", "0000005 5", "0000006 5", "0000007 12", "0000008.jpg 12"]


def write_vehicles(root, train=TRAIN, test=TEST, size=800):
    folder = root / "VehicleID_V1.0"
    write_images(folder, *(f"image/{n:07}.jpg" for n in range(1, 9)))
    (folder / "train_test_split").mkdir()
    for name, lines in (("train_list", train), (f"test_list_{size}", test)):
        (folder / "train_test_split" / f"{name}.txt").write_text("\n".join(lines) + "\n")
    return folder


def test_records_of_the_published_layout(tmp_path):
    write_vehicles(tmp_path)
    assert rows(VehicleID(tmp_path, check=False), "train") == [(9, -1), (9, -1), (70, -1)]
    test = VehicleID(tmp_path, "test", check=False)
    assert rows(test, "query") == [(5, -1), (5, -1), (12, -1)]
    assert rows(test, "gallery") == [(5, -1), (12, -1)]
    assert test.metainfo["test_sets"] == {"vehicleid_800": {"protocol": "vehicleid"}}
    assert VehicleID(tmp_path, check=False, combine_all=True).num_classes == 4


def test_each_size_has_a_list_of_its_own(tmp_path):
    write_vehicles(tmp_path, size=2400)
    assert VehicleID(tmp_path, "test", test_size=2400, check=False).name == "vehicleid_2400"
    with pytest.raises(MissingFileError, match="lacks train_test_split/test_list_800.txt"):
        VehicleID(tmp_path, check=False)
    with pytest.raises(UserError, match="test_size=100, must be one of 800, 1600 and 2400"):
        VehicleID(tmp_path, test_size=100)


def test_counts_that_differ_odd_lines_and_missing_images_are_said(tmp_path, monkeypatch):
    said: list[str] = []
    monkeypatch.setattr(reid_dataset, "print_log", lambda text, **_: said.append(text))
    write_vehicles(tmp_path, train=[*TRAIN, "0000001", "", "a b", f"0000002 {2**63}"])
    dataset = VehicleID(tmp_path)
    lists = "train_test_split/train_list.txt"
    assert dataset.unparsed == [
        f"{lists}: '0000001'",
        f"{lists}: 'a b'",
        f"{lists}: '0000002 {2**63}'",
    ]
    assert "train has 3 images (published: 113346)" in "\n".join(said)
    (tmp_path / "VehicleID_V1.0" / "image" / "0000002.jpg").unlink()
    with pytest.raises(MissingFileError, match="0000002.jpg"):
        VehicleID(tmp_path)
