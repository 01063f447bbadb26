import numpy as np
import pytest

from mmreid_ext.evaluation.results.image_names import (
    array_fingerprint,
    image_fingerprint,
    place_images,
    relative_names,
    without_folders,
)


@pytest.mark.parametrize(
    "names, folder",
    [
        (["/data/set/query/1.jpg", "/data/set/gallery/2.jpg"], "/data/set"),
        (["set/query/1.jpg", "set/gallery/2.jpg"], "set"),
        (["query/1.jpg", "gallery/2.jpg"], ""),
        (["/query/1.jpg", "/gallery/2.jpg"], "/"),
        (["/data/./set//query/1.jpg", "/data/x/../set/gallery/2.jpg"], "/data/set"),
        ([r"C:\data\query\1.jpg", "C:/data/gallery/2.jpg"], "C:\\data"),
        (["\\\\server\\share\\query\\1.jpg", "\\\\server\\share\\gallery\\2.jpg"], None),
    ],
)
def test_common_folder_is_cut(names, folder):
    short, cut = relative_names(names)
    assert short == ["query/1.jpg", "gallery/2.jpg"]
    assert folder is None or cut == folder


def test_one_folder_and_unknown_names():
    assert relative_names(["/a/1.jpg", "", "/a/2.jpg"]) == (["1.jpg", "", "2.jpg"], "/a")
    assert relative_names(["/a/b/1.jpg"]) == (["1.jpg"], "/a/b")
    assert relative_names(["", ""]) == (["", ""], "")
    assert relative_names([]) == ([], "")


def test_fingerprint_knows_images_and_not_their_order():
    names, pids, camids = ["a", "b"], [1, 2], [0, 1]
    found = image_fingerprint(names, pids, camids)
    assert found["images"] == 2
    assert image_fingerprint(names[::-1], pids[::-1], camids[::-1]) == found
    for other in ((["a", "c"], pids, camids), (names, [1, 3], camids), (names, pids, [0, 0])):
        assert image_fingerprint(*other) != found
    assert image_fingerprint(["\udcff"], [1], [0])["images"] == 1  # a name that is no UTF-8


def test_fingerprint_of_arrays():
    values = np.arange(6.0)
    assert array_fingerprint(values) == array_fingerprint(values[::-1][::-1])
    assert array_fingerprint(values) != array_fingerprint(values.reshape(2, 3))


def test_absolute_paths_keep_their_last_part():
    settings = {"root": "/home/me/data", "list": ["C:\\me\\x.csv", "rel/x.csv", 3, None], "a": "b"}
    assert without_folders(settings) == {
        "root": ".../data",
        "list": [".../x.csv", "rel/x.csv", 3, None],
        "a": "b",
    }


@pytest.mark.parametrize("moved_to", ["set", "photos/set", "."])
@pytest.mark.parametrize("recorded", ["/data/photos/set", "photos/set", r"C:\photos\set"])
def test_moved_images_are_found_under_their_folder_or_one_above(tmp_path, moved_to, recorded):
    for name in ("query/1.jpg", "gallery/2.jpg"):
        path = tmp_path / moved_to / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    names = [f"{recorded}/query/1.jpg", f"{recorded}/gallery/2.jpg"]
    short, place = place_images(names, tmp_path)
    assert short == ["query/1.jpg", "gallery/2.jpg"]
    assert place == str(tmp_path / moved_to)


def test_images_that_are_nowhere_are_looked_for_in_the_root(tmp_path):
    assert place_images(["/old/a.jpg", "/old/b.jpg"], tmp_path)[1] == str(tmp_path)
    assert place_images(["/old/a.jpg", "/old/b.jpg"]) == (["a.jpg", "b.jpg"], "/old")


def test_crops_are_found_by_their_frames(tmp_path):
    """A name says which part of a picture it is; the file is the picture."""
    (tmp_path / "moved").mkdir()
    (tmp_path / "moved" / "1.jpg").touch()
    names = ["/gone/frames/1.jpg#xywh=1,2,3,4", "/gone/frames/1.jpg#xywh=5,6,7,8"]
    short, folder = place_images(names, tmp_path / "moved")
    assert folder == str(tmp_path / "moved")
    assert short == ["1.jpg#xywh=1,2,3,4", "1.jpg#xywh=5,6,7,8"]
