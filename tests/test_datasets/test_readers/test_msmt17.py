"""MSMT17 in its three layouts."""

import pytest
from helpers.fake_images import write_images
from helpers.reader_trees import rows

from mmreid_ext.datasets import (
    MSMT17,
)
from mmreid_ext.errors import UserError

NAME = "{pid:04d}/{pid:04d}_{n:03d}_{cam:02d}_0303morning_0008_0.jpg"


LISTS = dict(
    train=[NAME.format(pid=0, n=0, cam=1) + " 0", NAME.format(pid=1, n=0, cam=15) + " 1"],
    val=[NAME.format(pid=1, n=1, cam=2) + " 1"],
    query=[NAME.format(pid=0, n=0, cam=3) + " 0"],
    gallery=[NAME.format(pid=0, n=1, cam=4) + " 0", NAME.format(pid=7, n=0, cam=4) + " 7"],
)


def write_msmt(root, blurred=False):
    folder = root / ("MSMT17_V2" if blurred else "MSMT17_V1")
    for name, lines in LISTS.items():
        part = "train" if name in ("train", "val") else "test"
        part = f"mask_{part}_v2" if blurred else part
        write_images(folder / part, *(line.split()[0] for line in lines))
        (folder / f"list_{name}.txt").write_text("\n".join(lines) + "\n")


@pytest.mark.parametrize("blurred", [False, True], ids=["V1", "V2"])
def test_msmt17_lists(tmp_path, blurred):
    write_msmt(tmp_path, blurred)
    train = MSMT17(tmp_path, check=False)
    assert rows(train, "train") == [(0, 0), (1, 14), (1, 1)]
    assert len(MSMT17(tmp_path, check=False, with_val=False)) == 2
    test = MSMT17(tmp_path, mode="test", check=False)
    assert (rows(test, "query"), rows(test, "gallery")) == ([(0, 2)], [(0, 3), (7, 3)])
    combined = MSMT17(tmp_path, check=False, combine_all=True)
    assert (len(combined), combined.num_classes) == (6, 4)  # test ids are other people
    loaded = MSMT17(
        tmp_path,
        check=False,
        combine_all=True,
        pipeline=[dict(type="mmpretrain.LoadImageFromFile")],
    )
    assert all(loaded[i]["img"].shape == (8, 4, 3) for i in range(6))


def test_msmt17_folders(tmp_path):
    write_images(
        tmp_path / "MSMT17_V1",
        "bounding_box_train/0000_c1_0000.jpg",
        "bounding_box_train/0001_c15_0001.jpg",
        "query/0000_c3_0000.jpg",
        "bounding_box_test/0000_c10_0002.jpg",
    )
    assert rows(MSMT17(tmp_path, check=False), "train") == [(0, 0), (1, 14)]
    assert rows(MSMT17(tmp_path, check=False, mode="test"), "gallery") == [(0, 9)]


def test_msmt17_reports_odd_lines(tmp_path):
    write_msmt(tmp_path)
    with open(tmp_path / "MSMT17_V1" / "list_train.txt", "a") as file:
        file.write(f"me.jpg 5\n\nme.jpg {'5' * 9999}\n")
    odd = MSMT17(tmp_path, check=False).unparsed
    assert odd == ["list_train.txt: 'me.jpg 5'", f"list_train.txt: 'me.jpg {'5' * 72}…'"]


IN_FOLDERS = "{pid:04d}_000_{cam:02d}_0303morning_0008_0.jpg"


def test_msmt17_keeps_its_own_names_in_markets_folders(tmp_path):
    train = [IN_FOLDERS.format(pid=0, cam=1), IN_FOLDERS.format(pid=1, cam=15)]
    test = [IN_FOLDERS.format(pid=0, cam=3), IN_FOLDERS.format(pid=0, cam=4)]
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
    names = [f"{pid:04d}/{IN_FOLDERS.format(pid=pid, cam=cam)}" for pid in (0, 1) for cam in (1, 2)]
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
