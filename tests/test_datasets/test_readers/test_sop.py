"""Stanford Online Products, in its three list forms, and In-shop."""

from pathlib import Path

import pytest
from helpers.fake_images import write_images
from helpers.paths import DATA

from mmreid_ext.datasets import SOP, BenchmarkSuite, reid_dataset

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
        ((f"1 {'9' * 5000} 1 a.png",), TEST, "line 2: '1 999.*…' is not of the form"),
        (TRAIN, (*TEST, "8 2 3 chair/h.png"), "1 identities are in .* the test set: 2"),
        (TRAIN, (*TEST, "8 9 3 chair/c.png"), "1 images are in the training .*c.png"),
        (TRAIN, TEST[1:], "2 test images of 2 identities: none has two"),
    ],
    ids=["short", "letters", "huge", "shared class", "shared image", "nothing to find"],
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
