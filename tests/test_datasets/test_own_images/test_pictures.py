from pathlib import Path

import pytest
from helpers.fake_images import write_image

from mmreid_ext.datasets.own_images.listing import Listing, OwnImage
from mmreid_ext.datasets.own_images.pictures import look_at
from mmreid_ext.errors import UserError


def listing(*images):
    return Listing("folders", "", list(images))


def test_sizes_of_pictures_and_of_boxes(tmp_path):
    path = write_image(tmp_path / "a.jpg", 0, (40, 30))
    found = listing(OwnImage(path, "lea"), OwnImage(path, "tom", box=(1.2, 2, 10, 20)))
    done = []
    assert look_at(found, lambda *counts: done.append(counts)) == [(30, 40), (10, 20)]
    assert done == [(1, 1)]  # the file is looked at once
    assert found.images[1].box == (1, 2, 10, 20)


def test_boxes_are_cut_off_and_empty_ones_left_out(tmp_path):
    path = write_image(tmp_path / "a.png", 0, (40, 30))
    found = listing(
        OwnImage(path, "lea", box=(-5, 0, 15, 50)), OwnImage(path, "lea", box=(50, 0, 9, 9))
    )
    assert look_at(found) == [(10, 40)]
    assert found.images[0].box == (0, 0, 10, 40)
    assert found.notes == ["1 boxes stuck out of their picture and were cut off at its edge."]
    assert list(found.left_out.values()) == [["a.png [50,0,9,9]"]]


def test_unreadable_pictures_are_left_out_with_the_reason(tmp_path):
    folder = tmp_path / "lea"
    folder.mkdir()
    good, cut = write_image(folder / "a.jpg"), write_image(folder / "b.jpg", 1, (90, 90))
    cut.write_bytes(cut.read_bytes()[:-900])
    (folder / "c.jpg").write_bytes(b"")
    (folder / "d.png").write_bytes(b"text")
    names = ["a.jpg", "b.jpg", "c.jpg", "d.png", "e.jpg"]
    found = listing(*(OwnImage(folder / name, "lea") for name in names))
    look_at(found)
    assert [image.path for image in found.images] == [good]
    assert found.left_out == {
        "pictures that can't be read (the file is cut off)": ["lea/b.jpg"],
        "pictures that can't be read (the file is empty)": ["lea/c.jpg"],
        "pictures that can't be read (not an image)": ["lea/d.png"],
        "pictures that can't be read (no such file)": ["lea/e.jpg"],
    }


def test_if_nothing_is_left_it_stops():
    with pytest.raises(UserError, match=r"None of 1 pictures can be used: .*no such file\): x.jpg"):
        look_at(listing(OwnImage(Path("x.jpg"), "lea")))
