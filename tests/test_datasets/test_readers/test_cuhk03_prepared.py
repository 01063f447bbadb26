"""CUHK03 as others have prepared it."""

import json

import pytest
from helpers.fake_images import write_images
from helpers.reader_trees import rows

from mmreid_ext.datasets import CUHK03
from mmreid_ext.errors import MissingFileError, UserError

NP = [
    "bounding_box_train/0001_c1_1.png",
    "bounding_box_train/0001_c2_6.png",
    "bounding_box_train/0003_c1_1.png",
    "query/0001_c1_1.png",
    "bounding_box_test/0001_c2_6.png",
]


@pytest.mark.parametrize("boxes, folder", [("detected", "detected"), ("labelled", "labeled")])
def test_cuhk03_np(tmp_path, boxes, folder):
    write_images(tmp_path / "CUHK03-NP", *(f"{folder}/{name}" for name in NP))
    options = dict(boxes=boxes, check=False)
    train = CUHK03(tmp_path, **options)
    assert sorted(rows(train, "train")) == [(1, 0), (1, 1), (3, 0)] and train.num_classes == 2
    test = CUHK03(tmp_path, mode="test", **options)
    assert (rows(test, "query"), rows(test, "gallery")) == ([(1, 0)], [(1, 1)])
    assert CUHK03(tmp_path, combine_all=True, **options).num_classes == 3  # 1 of test is another


@pytest.fixture
def prepared(tmp_path):
    names = [
        "1_001_1_01.png",
        "1_001_2_06.png",
        "1_002_1_01.png",
        "2_001_1_01.png",
        "2_001_2_07.png",
    ]
    base = tmp_path / "cuhk03"
    write_images(base / "images_detected", *names)
    listed = [[f"/home/someone/cuhk03/images_detected/{n}", 0, int(n[6]) - 1] for n in names]
    split = dict(train=listed[:3], query=listed[3:4], gallery=listed[4:])
    for i, entry in enumerate(split["train"]):
        entry[1] = i // 2
    (base / "splits_new_detected.json").write_text(json.dumps([split]))
    classic = dict(train=listed[:3], query=listed[3:], gallery=listed[3:])
    (base / "splits_classic_detected.json").write_text(json.dumps([classic, classic]))
    return base


def test_cuhk03_as_torchreid_prepares_it(prepared, tmp_path):
    train = CUHK03(tmp_path, check=False)
    assert rows(train, "train") == [(0, 0), (0, 1), (1, 0)]
    test = CUHK03(tmp_path, check=False, mode="test")
    assert (rows(test, "query"), rows(test, "gallery")) == ([(0, 0)], [(0, 1)])
    assert CUHK03(tmp_path, check=False, combine_all=True).num_classes == 3
    classic = CUHK03(tmp_path, check=False, mode="test", classic_split=1)
    assert rows(classic, "query") == rows(classic, "gallery") == [(20001, 0), (20001, 1)]
    assert rows(CUHK03(tmp_path, check=False, classic_split=1), "train")[0] == (10001, 0)
    with pytest.raises(UserError, match="has the splits 0 to 1, not 7"):
        CUHK03(tmp_path, check=False, classic_split=7)


@pytest.mark.parametrize("text", ["", "{}", "[]", "[1]", '[{"train": [["a"]]}]', "[" * 50_000])
def test_lists_that_are_something_else_are_named(prepared, tmp_path, text):
    (prepared / "splits_new_detected.json").write_text(text)
    with pytest.raises(UserError, match="splits_new_detected.json"):
        CUHK03(tmp_path, check=False)


def test_the_other_boxes_of_cuhk03_are_named(tmp_path):
    write_images(tmp_path / "CUHK03-NP", *(f"labeled/{name}" for name in NP))
    with pytest.raises(MissingFileError, match="boxes='detected', but .*NP has boxes='labelled'"):
        CUHK03(tmp_path)
    with pytest.raises(MissingFileError, match="^cuhk03 was not found"):
        CUHK03(tmp_path, classic_split=0)
