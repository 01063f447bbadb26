"""Stanford Online Products, in its three list forms, and In-shop."""

from pathlib import Path

import pytest
from helpers.fake_images import write_images
from helpers.paths import DATA

from mmreid_ext.datasets import SOP, BenchmarkSuite, InShop, reid_dataset
from mmreid_ext.errors import UserError

HEADER = "image_id class_id super_class_id path"
TRAIN = ("1 1 1 bicycle/a.png", "2 1 1 bicycle/b.png", "3 2 3 chair/c.png", "4 2 3 chair/d.png")
TEST = ("5 3 1 bicycle/e.png", "6 3 1 bicycle/f.png", "7 4 2 lamp/g.png")


def write_sop(root, train=TRAIN, test=TEST, folder="Stanford_Online_Products"):
    base = root / folder
    for name, lines in (("train", train), ("test", test)):
        write_images(base, *(line.split()[-1] for line in lines))
        (base / f"Ebay_{name}.txt").write_text("\n".join([HEADER, *lines]) + "\n")
    return base


def rows(dataset):
    records = [dataset[i] for i in range(len(dataset))]
    return [(r["pid"], r["camid"], r["role"], Path(r["img_path"]).name) for r in records]


def test_published_lists(tmp_path):
    write_sop(tmp_path)
    train = SOP(tmp_path, domain_from="record")
    assert rows(train) == [
        (1, -1, "train", "a.png"), (1, -1, "train", "b.png"),
        (2, -1, "train", "c.png"), (2, -1, "train", "d.png"),
    ]  # fmt: skip
    assert train.pids.tolist() == [0, 0, 1, 1]
    assert train.domains.tolist() == [0, 0, 1, 1] and train.num_domains == 2  # super classes 1, 3
    test = SOP(tmp_path, mode="test")
    assert [row[0] for row in rows(test)] == [3, 3, 4]
    assert {row[2] for row in rows(test)} == {"query"}
    assert test.metainfo["test_sets"] == {"sop": {"protocol": "sop"}}
    assert len(SOP(tmp_path, combine_all=True)) == 7
    loaded = SOP(tmp_path, mode="test", pipeline=[dict(type="mmpretrain.LoadImageFromFile")])
    assert all(loaded[i]["img"].shape == (8, 4, 3) for i in range(3))


@pytest.mark.parametrize(
    "names, form",
    [
        (("train_list.txt", "test_list.txt"), "{path} {pid} {number}"),
        (("train_list.txt", "test_list.txt"), "{path} {pid}"),
        (("train.txt", "test.txt"), "{path},{pid}"),
    ],
    ids=["PaddleClas", "PaddleClas without image ids", "XBM"],
)
def test_other_lists(tmp_path, names, form):
    base = write_sop(tmp_path)
    for name, old, lines in zip(names, ("train", "test"), (TRAIN, TEST), strict=True):
        (base / f"Ebay_{old}.txt").unlink()
        values = [line.split() for line in lines]
        lines = [form.format(path=v[3], pid=v[1], number=v[0]) for v in values]
        (base / name).write_text("\n".join(lines) + "\n")
    assert [row[0] for row in rows(SOP(tmp_path))] == [1, 1, 2, 2]
    assert [row[0] for row in rows(SOP(tmp_path, mode="test"))] == [3, 3, 4]
    with pytest.raises(ValueError, match="images without 'domain'"):
        SOP(tmp_path, domain_from="record")


def test_a_cut_keeps_the_protocol(tmp_path):
    write_sop(tmp_path)
    test = SOP(tmp_path, mode="test", max_identities=1)
    assert len(test) == 2
    assert test.metainfo["test_sets"]["sop"]["protocol"] == "sop"


@pytest.fixture
def messages(monkeypatch):
    found = []
    monkeypatch.setattr(reid_dataset, "print_log", lambda text, **_: found.append(text))
    return found


def test_difference_from_the_published_counts_is_reported(tmp_path, messages):
    write_sop(tmp_path)
    SOP(tmp_path)
    expected = "train has 4 images (published: 59551); train has 2 identities (published: 11318)"
    assert expected in messages[0] and "query has 3 images (published: 60502)" in messages[0]


def test_another_set_in_the_layout(tmp_path, messages):
    write_sop(tmp_path, folder="my_shop")
    test = SOP(tmp_path, mode="test", folder="my_shop")
    assert list(test.metainfo["test_sets"]) == ["my_shop"]
    (message,) = messages  # nothing about published counts
    assert "the only image of their identity" in message
    with pytest.raises(FileNotFoundError, match="other_shop: no such folder"):
        SOP(tmp_path, folder="other_shop")
    suite = BenchmarkSuite([dict(type="mmreid_ext.SOP", data_root=str(tmp_path), folder="my_shop")])
    assert len(suite) == 3


@pytest.mark.parametrize(
    "train, test, message",
    [
        (("1 1 a.png",), TEST, r"train.txt, line 2: '1 1 a.png' is not of the form image_id"),
        (("1 x 1 a.png",), TEST, "line 2: '1 x 1 a.png'"),
        (TRAIN, (*TEST, "8 2 3 chair/h.png"), "1 identities are in .* the test set: 2"),
        (TRAIN, (*TEST, "8 9 3 chair/c.png"), "1 images are in the training .*c.png"),
        (TRAIN, TEST[1:], "2 test images of 2 identities: none has two"),
    ],
    ids=["short", "letters", "shared class", "shared image", "nothing to find"],
)  # fmt: skip
def test_faulty_lists(tmp_path, train, test, message):
    write_sop(tmp_path, train, test)
    with pytest.raises(ValueError, match=message):
        SOP(tmp_path, mode="test")


def test_missing_header_is_an_error_not_a_missing_image(tmp_path):
    base = write_sop(tmp_path)
    (base / "Ebay_test.txt").write_text("\n".join(TEST))
    with pytest.raises(ValueError, match="first line is '5 3 1 bicycle/e.png', expected 'image_id"):
        SOP(tmp_path)


def test_lists_without_images(tmp_path):
    base = write_sop(tmp_path)
    (base / "bicycle" / "a.png").unlink()
    with pytest.raises(FileNotFoundError, match="1 of 7 images .* are not there: .*a.png"):
        SOP(tmp_path)


def test_missing_set_names_folders_and_remedy(tmp_path):
    with pytest.raises(FileNotFoundError, match="Ebay_train.txt, Ebay_test.txt"):
        SOP(tmp_path)


def test_real_pictures():
    if not (DATA / "omniglot_sop").is_dir():
        pytest.skip(f"no omniglot_sop in {DATA} (MMREID_DATA_ROOT)")
    train = SOP(DATA, folder="omniglot_sop", domain_from="record")
    assert (len(train), train.num_classes, train.num_domains) == (2720, 136, 5)
    test = SOP(DATA, folder="omniglot_sop", mode="test")
    assert (len(test), test.num_classes) == (2120, 106)


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
