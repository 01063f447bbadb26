"""DeepFashion In-shop Clothes Retrieval."""

from pathlib import Path

import pytest
from helpers.fake_images import write_images

from mmreid_ext.datasets import InShop
from mmreid_ext.errors import UserError


def rows(dataset):
    records = [dataset[i] for i in range(len(dataset))]
    return [(r["pid"], r["camid"], r["role"], Path(r["img_path"]).name) for r in records]


ITEMS = (
    "img/WOMEN/Dresses/id_00000002/02_1_front.jpg id_00000002 train",
    "img/WOMEN/Dresses/id_00000002/02_2_side.jpg id_00000002 train",
    "img/MEN/Denim/id_00000007/01_1_front.jpg id_00000007 train",
    "img/WOMEN/Tees/id_00000005/01_1_front.jpg id_00000005 gallery",
    "img/WOMEN/Tees/id_00000001/04_1_front.jpg id_00000001 query",
    "img/WOMEN/Tees/id_00000001/04_4_full.jpg id_00000001 gallery",
)


def write_inshop(root, items=ITEMS):
    base = root / "In-shop Clothes Retrieval Benchmark"
    write_images(base / "Img", *(item.split()[0] for item in items))
    (base / "Eval").mkdir()
    head = f"{len(items)}\nimage_name item_id evaluation_status\n"
    (base / "Eval" / "list_eval_partition.txt").write_text(head + "\n".join(items) + "\n")


def test_inshop(tmp_path):
    write_inshop(tmp_path)
    train = InShop(tmp_path, check=False)
    assert [row[0] for row in rows(train)] == [2, 2, 7]
    test = InShop(tmp_path, mode="test", check=False)
    assert [row[:3] for row in rows(test)] == [
        (1, -1, "query"), (5, -1, "gallery"), (1, -1, "gallery"),
    ]  # fmt: skip
    assert test.metainfo["test_sets"] == {"in_shop": {"protocol": "in_shop"}}
    cut = InShop(tmp_path, mode="test", check=False, max_identities=1)
    assert cut.metainfo["test_sets"]["in_shop"]["protocol"] == "in_shop"
    loaded = InShop(tmp_path, check=False, pipeline=[dict(type="mmpretrain.LoadImageFromFile")])
    assert loaded[2]["img"].shape == (8, 4, 3)
    assert len(InShop(tmp_path, check=False, combine_all=True)) == 6


@pytest.mark.parametrize(
    "items",
    [
        [item.replace("id_00000007 train", "id_00000002 train") for item in ITEMS],
        [item.replace("id_00000005 gallery", "id_00000001 gallery") for item in ITEMS],
    ],
    ids=["train", "gallery"],
)
def test_inshop_list_and_folders_must_agree(tmp_path, items):
    write_inshop(tmp_path, items)
    with pytest.raises(ValueError, match="the list names another item"):
        InShop(tmp_path, check=False)


@pytest.mark.parametrize(
    "old, new, words",
    [
        (" id_00000002 train", ",id_00000002,train", "line 3: .*is not of the form image_name"),
        (" train", " Train", "line 3: .*one of train, query, gallery"),
        ("6\n", "7\n", "it is '7', and 6 images are listed .* cut off"),
        ("6\nimage_name item_id evaluation_status\n", "", "it is 'img/.*', and 4 images"),
        ("04_4_full.jpg id_00000001", "04_4_full.jpg id_00000005", "1 items are queries .*: id_0"),
    ],
    ids=["commas", "capital", "cut off", "no head", "no gallery image"],
)
def test_inshop_lists_of_another_form_are_explained(tmp_path, old, new, words):
    write_inshop(tmp_path)
    file = tmp_path / "In-shop Clothes Retrieval Benchmark" / "Eval" / "list_eval_partition.txt"
    file.write_text(file.read_text().replace(old, new))
    with pytest.raises(UserError, match=f"list_eval_partition.txt.*{words}"):
        InShop(tmp_path, check=False)


def test_inshop_needs_item_folders(tmp_path):
    write_inshop(tmp_path, [item.replace("/id_0000000", "/item_") for item in ITEMS])
    with pytest.raises(ValueError, match="does not lie in a folder like id_00000001"):
        InShop(tmp_path, check=False)
