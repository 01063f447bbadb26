"""One picture, several, and folders of them become single pictures in order."""

import io

import numpy as np
import pytest
from helpers.fake_images import write_image

from mmreid_ext.errors import UserError, UserTypeError
from mmreid_ext.pictures.several import is_folder, single_pictures

PICTURE = np.zeros((6, 4, 3), np.uint8)


def test_one_several_and_folders(tmp_path):
    for name in ("b.png", "a.png"):
        write_image(tmp_path / name)
    names = [tmp_path / "a.png", tmp_path / "b.png"]
    assert list(single_pictures(tmp_path, "Embedder")) == names
    found = list(single_pictures((x for x in (PICTURE, str(tmp_path))), "Embedder"))
    assert found[0] is PICTURE and found[1:] == names
    assert len(list(single_pictures(PICTURE[None].repeat(3, 0), "Embedder"))) == 3
    assert is_folder(tmp_path) and not is_folder(tmp_path / "a.png") and not is_folder(PICTURE)


@pytest.mark.parametrize("images", [{"a.jpg": 1}, {"a.jpg"}, 7, None, io.StringIO("a.jpg")])
def test_what_has_no_order_is_refused(images):
    with pytest.raises(UserTypeError, match="^Embedder: images is of type .*; give a path"):
        list(single_pictures(images, "Embedder"))


def test_an_empty_folder_is_named(tmp_path):
    with pytest.raises(UserError, match="has no image"):
        list(single_pictures([tmp_path], "Embedder"))
