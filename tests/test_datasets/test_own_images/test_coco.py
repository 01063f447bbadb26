import json

import pytest
from helpers.fake_images import write_images

from mmreid_ext.datasets.own_images.coco import read_coco
from mmreid_ext.errors import MissingFileError, UserError

IMAGES = [dict(id=1, file_name="a.jpg", camera="door"), dict(id=2, file_name="b.jpg")]
BOX = [1, 2, 3, 4]


@pytest.fixture
def read(tmp_path):
    write_images(tmp_path / "images", "a.jpg", "b.jpg")

    def write(annotations, images=IMAGES, **options):
        path = tmp_path / "notes.json"
        path.write_text(json.dumps(dict(images=images, annotations=annotations, **options)))
        return read_coco(path)

    return write


def test_boxes_with_identities(read):
    found = read([dict(id=5, image_id=1, bbox=BOX, track_id=7, category_id=1)])
    (image,) = found.images
    assert (image.path.name, image.person, image.camera, image.box) == (
        "a.jpg",
        "7",
        "door",
        (1, 2, 3, 4),
    )
    assert "'track_id'" in found.taken_for


def test_identities_in_attributes_or_as_categories(read):
    assert read([dict(image_id=2, bbox=BOX, attributes=dict(pid="lea"))]).images[0].person == "lea"
    categories = [dict(id=1, name="lea"), dict(id=2, name="tom")]
    found = read([dict(image_id=2, bbox=BOX, category_id=2)], categories=categories)
    assert found.images[0].person == "tom" and "category" in found.taken_for


def test_without_identities_it_stops(read):
    with pytest.raises(UserError, match=r"who is in its box; none of person_id.*track_id"):
        read([dict(image_id=1, bbox=BOX, category_id=1)], categories=[dict(id=1, name="person")])


def test_what_is_left_out(read):
    notes = [dict(id=n, image_id=1, bbox=BOX, pid=1) for n in range(5)]
    del notes[1]["pid"], notes[2]["bbox"]
    notes[3]["image_id"] = 9
    notes[4]["bbox"] = [0, 0, 10**400, 5]  # no float holds it
    found = read(notes)
    assert len(found.images) == 1
    reason = "annotations without a person, an image or a box"
    assert found.left_out == {reason: [f"annotation {n}" for n in range(1, 5)]}


@pytest.mark.parametrize(
    "text", ["{", "[" * 100_000, "[]", '{"images": [], "annotations": [3]}', '{"images": [{}]}']
)
def test_other_files(tmp_path, text):
    path = tmp_path / "a.json"
    path.write_text(text)
    with pytest.raises(UserError, match="COCO"):
        read_coco(path)


def test_pictures_that_are_elsewhere(read):
    with pytest.raises(MissingFileError, match="'c.jpg' was not found.*--frames"):
        read([dict(image_id=1, bbox=BOX, pid=1)], images=[dict(id=1, file_name="c.jpg")])
