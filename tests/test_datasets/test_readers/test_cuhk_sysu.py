"""CUHK-SYSU, cropped and as downloaded."""

import cv2
import numpy as np
import pytest
from helpers.fake_images import write_image
from helpers.reader_trees import check_records, rows
from scipy.io import savemat

from mmreid_ext.datasets import CUHKSYSU
from mmreid_ext.errors import MissingFileError, UserError


def test_records_of_the_published_layout(tmp_path):
    check_records(
        CUHKSYSU,
        tmp_path,
        combined=(3, 2),
        train=[(11934, -1), (1, -1), (1, -1)],
    )


BOXES = {
    "p1": [("s3.jpg", (1, 1, 3, 5)), ("s4.jpg", (2, 3, 4, 6))],
    "p11934": [("s3.jpg", (5, 2, 3, 7))],  # beside p1, in one picture
}


def write_download(root):
    """Write pictures of 8 x 12 pixels and the archive's list of persons."""
    folder = root / "CUHK-SYSU"
    for number in (3, 4):
        write_image(folder / "Image" / "SSM" / f"s{number}.jpg", number, (12, 8))
    (folder / "annotation").mkdir()
    write_persons(folder, BOXES)
    return folder


def write_persons(folder, boxes):
    """Write struct arrays as MATLAB does."""
    persons = np.zeros((1, len(boxes)), [(k, object) for k in ("idname", "nAppear", "scene")])
    for place, (name, shown) in enumerate(boxes.items()):
        fields = [(k, object) for k in ("imname", "idlocate", "ishard")]
        scene = np.zeros((1, len(shown)), fields)
        for row, (picture, box) in enumerate(shown):
            scene[0, row] = (picture, np.array([box], np.int32), 0)
        persons[0, place] = (name, len(shown), scene)
    savemat(folder / "annotation" / "Person.mat", {"Person": persons})


def test_boxes_of_the_download_are_cut_out_with_both_end_pixels(tmp_path):
    write_download(tmp_path)
    loader = dict(type="mmpretrain.LoadImageFromFile")
    dataset = CUHKSYSU(tmp_path, check=False, loader=loader)
    whole = CUHKSYSU(tmp_path, check=False)
    assert rows(whole, "train") == [(1, -1), (1, -1), (11934, -1)]
    for record, item in zip(whole, dataset, strict=True):
        picture = cv2.imread(record["img_path"])
        ((x, y, w, h),) = (
            box
            for name, shown in BOXES.items()
            for file, box in shown
            if name == f"p{record['pid']}" and record["img_path"].endswith(file)
        )
        # MATLAB's crop: I(y : y + h, x : x + w), from 1 and with the last
        expected = picture[y - 1 : y + h, x - 1 : x + w]
        assert expected.shape == (h + 1, w + 1, 3)
        np.testing.assert_array_equal(item["img"], expected)


def test_crops_go_before_the_download(tmp_path):
    folder = write_download(tmp_path)
    write_image(folder / "cropped_image" / "p00007_n01_s00001_hard0.png")
    write_image(folder / "cropped_image" / "p00009_n01_s00002_hard0.png")
    assert rows(CUHKSYSU(tmp_path, check=False), "train") == [(7, -1), (9, -1)]


def test_another_file_and_missing_pictures_are_named(tmp_path):
    folder = write_download(tmp_path)
    (folder / "Image" / "SSM" / "s4.jpg").unlink()
    with pytest.raises(MissingFileError, match="s4.jpg"):
        CUHKSYSU(tmp_path)
    for content in ({"Img": 1}, {"Person": 1}, {"Person": "p1"}):
        savemat(folder / "annotation" / "Person.mat", content)
        with pytest.raises(UserError, match="Person.mat is not CUHK-SYSU's list of persons"):
            CUHKSYSU(tmp_path)
    write_persons(folder, {f"p{2**63}": BOXES["p1"]})
    with pytest.raises(UserError, match="idname is 'p9223372036854775808'"):
        CUHKSYSU(tmp_path)
    (folder / "annotation" / "Person.mat").write_bytes(b"no archive")
    with pytest.raises(UserError, match="is not CUHK-SYSU's list of persons"):
        CUHKSYSU(tmp_path)
