"""Files that are missing or no pictures, and pictures unlike the others."""

import pytest
from helpers.drawn_shop import found, notes
from PIL import Image


def test_missing_files(shop):
    shop.add("gone.jpg", None, "ann", "1", "train")
    assert found(shop.audit()) == {"missing": [["gone.jpg"]]}


@pytest.mark.parametrize("kind", ["empty", "lfs", "cut", "text"])
def test_files_that_are_no_pictures(shop, kind):
    content = shop.path("train").read_bytes()
    files = {
        "empty": (b"", "empty"),
        "lfs": (b"version https://git-lfs.github.com", "git lfs pull"),
        "cut": (content[: len(content) // 2], "cut off"),
        "text": (b"some words", "not an image"),
    }
    shop.add("bad.jpg", files[kind][0], "ann", "1", "train")
    report = shop.audit()
    assert found(report) == {"unreadable": [["bad.jpg"]]}
    assert files[kind][1] in notes(report, "unreadable")[0]


def test_names_that_promise_another_format(shop):
    shop.add("wrong.png", shop.path("train").read_bytes() + b" ", "ann", "1", "train")
    report = shop.audit()
    assert found(report) == {"wrong_suffix": [["wrong.png"]]}
    assert notes(report, "wrong_suffix") == ["JPEG, not PNG"]


def test_pictures_of_one_colour(shop):
    shop.add("blank.png", Image.new("RGB", (64, 128), (80, 90, 99)), "ann", "1", "train")
    assert found(shop.audit()) == {"blank": [["blank.png"]]}


@pytest.mark.parametrize(
    "size, is_odd",
    [
        ((640, 128), True),
        ((16, 128), True),
        ((10, 20), True),
        ((640, 1280), True),
        ((100, 128), False),
        ((32, 64), False),
        ((256, 512), False),
    ],
)
def test_sizes_far_from_the_others(shop, size, is_odd):
    picture = Image.open(shop.path("query")).rotate(180).resize(size)
    shop.add("odd.jpg", picture, "ann", "1", "train")
    report = shop.audit()
    assert found(report) == ({"odd_size": [["odd.jpg"]]} if is_odd else {})
    assert notes(report, "odd_size") == [f"{size[0]} x {size[1]}"] * is_odd
