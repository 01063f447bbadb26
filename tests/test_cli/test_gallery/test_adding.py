"""Pictures are read, embedded once, and kept with what is known about them."""

import numpy as np
import pytest
from helpers.gallery_pictures import FakeModel, picture, write_people, write_picture

pytest.importorskip("faiss")

from mmreid_ext.cli.gallery.adding import (
    add_entries,
)
from mmreid_ext.cli.gallery.listing import Entry, list_entries
from mmreid_ext.deploy import Gallery
from mmreid_ext.deploy.gallery.picture_hash import picture_hash
from mmreid_ext.pictures.decode import decode


@pytest.fixture
def model():
    return FakeModel()


@pytest.fixture
def gallery(tmp_path, model):
    with Gallery(tmp_path / "people.db", model=model.info) as found:
        yield found


def test_a_folder_is_added_once(gallery, model, tmp_path):
    entries = list_entries(write_people(tmp_path / "photos"), "person")
    done = []
    result = add_entries(gallery, model, entries, batch=4, progress=done.append)
    assert (result.added, result.known, result.unreadable) == (9, 0, {}) and done == [4, 4, 1]
    assert gallery.people() == {"eva": 3, "lea": 3, "tom": 3} and model.embedded == 9
    [[hit]] = gallery.search(model.embed([model.prepare(picture(1))]), topk=1)
    assert (hit.identity, hit.source) == ("tom", "tom/0.png") and hit.similarity > 0.999
    # Once more, with a new picture: only that is embedded.
    write_picture(tmp_path / "photos" / "lea" / "9.png", 0, 9)
    model.embedded = 0
    result = add_entries(gallery, model, list_entries(tmp_path / "photos", "person"), batch=4)
    assert (result.added, result.known) == (1, 9) and model.embedded == 1


def test_copies_are_one_picture(gallery, model, tmp_path):
    for name in ("a", "b"):
        write_picture(tmp_path / "photos" / f"{name}.png", 1)
    result = add_entries(gallery, model, list_entries(tmp_path / "photos"))
    assert (result.added, result.known) == (1, 1)


def test_what_cant_be_read_is_left_out(gallery, model, tmp_path):
    folder = write_people(tmp_path / "photos", ("lea",), 2)
    (folder / "broken.jpg").write_bytes(b"\xff\xd8 no picture")
    (folder / "empty.png").write_bytes(b"")
    entries = [*list_entries(folder), Entry(folder / "gone.png", "gone.png")]
    entries.append(Entry(folder / "lea" / "0.png", "box", box=(0, 0, 500, 4)))
    result = add_entries(gallery, model, entries, thumbnails=True, batch=2)
    assert result.added == 2 and list(result.unreadable) == [
        "broken.jpg",
        "empty.png",
        "gone.png",
        "box",
    ]
    assert result.unreadable["gone.png"] == "No such file or directory"
    assert "empty" in result.unreadable["empty.png"] and "500,4" in result.unreadable["box"]


def test_boxes_are_cut_out_and_are_pictures_of_their_own(gallery, model, tmp_path):
    file = write_picture(tmp_path / "photos" / "1.png", 1)
    entries = [
        Entry(file, f"1.png#{n}", box=(0, n, 10, 20), camera="door", time=5.0) for n in (0, 9)
    ]
    assert add_entries(gallery, model, entries, thumbnails=True).added == 2
    content = file.read_bytes()
    [found] = gallery.find([picture_hash(content, (0, 9, 10, 20))])
    [hit] = gallery.get([found])
    assert (hit.camera, hit.time, hit.source) == ("door", 5.0, "1.png#9")
    expected = model.embed([model.prepare(picture(1)[9:29, :10])])
    np.testing.assert_allclose(gallery.embeddings([found]), expected, atol=1e-3)
    assert decode(gallery.thumbnail(found)).shape == (20, 10, 3)
