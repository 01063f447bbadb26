"""Layouts in the wild, for every reader: read, or explained by what is really the matter."""

import json

import pytest
from helpers.fake_images import write_images, write_market
from helpers.reader_trees import TREES, build, name_of, rows

from mmreid_ext.datasets import CUHK02, CUHK03, MSMT17, PRID2011, Market1501, VIPeR
from mmreid_ext.errors import MissingFileError, UserError


@pytest.mark.parametrize("reader", TREES, ids=name_of)
def test_names_off_the_pattern_lead_the_message(reader, tmp_path):
    folder, names = TREES[reader]
    odd = [f"{path.rpartition('/')[0]}/img-{i}.jpg" for i, path in enumerate(names.split())]
    write_images(tmp_path / folder, *odd)
    with pytest.raises(UserError) as error:
        reader(tmp_path, check=False)
    message = str(error.value)
    assert ": no name could be read: " in message and "img-0.jpg" in message
    assert reader.name_form and reader.name_form in message


@pytest.mark.parametrize("reader", TREES, ids=name_of)
@pytest.mark.parametrize("spelling", ["nested", "upper", "lower"])
def test_folders_nested_once_more_or_spelled_otherwise_are_found(reader, spelling, tmp_path):
    folder, names = TREES[reader]
    place = dict(nested=f"{folder}/{folder}", upper=folder.upper(), lower=folder.lower())[spelling]
    write_images(tmp_path / place, *names.split())
    dataset = reader(tmp_path, check=False, combine_all=True)
    straight = build(reader, tmp_path / "straight", combine_all=True)
    assert len(dataset) == len(straight)


def test_viper_and_prid_as_unpacked(tmp_path):
    write_images(tmp_path / "VIPeR.v1.0" / "VIPeR", "cam_a/001_45.bmp", "cam_b/001_90.bmp")
    assert len(VIPeR(tmp_path, mode="test", check=False, protocol="camera")) == 2
    write_images(tmp_path / "prid", "cam_a/person_0001.png", "cam_b/person_0001.png")
    assert len(PRID2011(tmp_path, mode="test", check=False, protocol="camera")) == 2


NAME = "{pid:04d}_000_{cam:02d}_0303morning_0008_0.jpg"


def test_msmt17_keeps_its_own_names_in_markets_folders(tmp_path):
    train = [NAME.format(pid=0, cam=1), NAME.format(pid=1, cam=15)]
    test = [NAME.format(pid=0, cam=3), NAME.format(pid=0, cam=4)]
    write_images(
        tmp_path / "MSMT17",
        *(f"bounding_box_train/{name}" for name in train),
        f"query/{test[0]}",
        f"bounding_box_test/{test[1]}",
    )
    assert sorted(rows(MSMT17(tmp_path, check=False), "train")) == [(0, 0), (1, 14)]
    found = MSMT17(tmp_path, check=False, mode="test")
    assert (rows(found, "query"), rows(found, "gallery")) == ([(0, 2)], [(0, 3)])


@pytest.mark.parametrize("separator", [" ", "\t", "  "])
def test_lists_of_msmt17_are_separated_by_any_blanks(tmp_path, separator):
    names = [f"{pid:04d}/{NAME.format(pid=pid, cam=cam)}" for pid in (0, 1) for cam in (1, 2)]
    write_images(
        tmp_path / "MSMT17_V1", *(f"{part}/{n}" for part in ("train", "test") for n in names)
    )
    lines = [f"{name}{separator}{int(name[:4])}" for name in names]
    parts = dict(train=lines, val=[], query=lines[::2], gallery=lines[1::2])
    for part, content in parts.items():
        (tmp_path / "MSMT17_V1" / f"list_{part}.txt").write_text("\n".join(content))
    assert len(MSMT17(tmp_path, check=False)) == 4
    (tmp_path / "MSMT17_V1" / "list_train.txt").write_bytes("0000/J\u00f6rg.jpg 1".encode("cp1252"))
    with pytest.raises(UserError, match="list_train.txt, line 1: byte 0xf6 is not utf-8"):
        MSMT17(tmp_path, check=False)


def test_cuhk02_with_other_names_is_explained(tmp_path):
    cameras = [f"Dataset/P{pair}/cam{view}" for pair in range(1, 6) for view in (1, 2)]
    write_images(tmp_path / "CUHK02", *(f"{camera}/001-1.png" for camera in cameras))
    with pytest.raises(UserError, match="no name could be read: 10 files .*001-1.png"):
        CUHK02(tmp_path)


# CUHK03 as others have prepared it

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


def test_a_market_list_of_the_reader_itself_still_wins(tmp_path):
    write_market(tmp_path, train=3)
    write_market(tmp_path / "Market-1501-v15.09.15", train=5)
    assert Market1501(tmp_path, check=False).num_classes == 3


def test_the_other_boxes_of_cuhk03_are_named(tmp_path):
    write_images(tmp_path / "CUHK03-NP", *(f"labeled/{name}" for name in NP))
    with pytest.raises(MissingFileError, match="boxes='detected', but .*NP has boxes='labelled'"):
        CUHK03(tmp_path)
    with pytest.raises(MissingFileError, match="^cuhk03 was not found"):
        CUHK03(tmp_path, classic_split=0)
