"""Files of a data set: missing ones, and copies of one picture."""

import pytest
from helpers.fake_images import write_images, write_market
from helpers.shop_list import TEST, TRAIN

from mmreid_ext.datasets import (
    Market1501,
    VIPeR,
)
from mmreid_ext.errors import MissingFileError, UserError


@pytest.mark.parametrize("protocol", ["self_retrieval", "sop", dict(type="self_retrieval")])
def test_no_image_finds_its_own_copy_where_all_are_compared_with_all(make, said, protocol):
    clean = "q.jpg,3,0,query\ng.jpg,3,1,query\na.jpg,5,0,query\nb.jpg,5,1,query\n"
    assert len(make(clean, protocol=protocol)) == 4 and said == []
    both = clean + "q.jpg,3,0,gallery\n../shop/g.jpg,3,1,gallery\na.jpg,5,0,query\n"
    dataset = make(both, protocol=protocol)
    assert [dataset[i]["role"] for i in range(len(dataset))] == ["query"] * 4
    assert len(said) == 1 and "3 images are listed more than once" in said[0]
    with pytest.raises(UserError, match="none has two"):
        make("q.jpg,3,0,query\nq.jpg,3,0,gallery\n", protocol=protocol)


@pytest.mark.parametrize("mode", ["train", "test"])
def test_missing_files_are_found_when_the_set_is_read(make, said, mode):
    gone = TRAIN + TEST + "no1.jpg,3,1,gallery\nno2.jpg,8,1,train\n"
    with pytest.raises(
        MissingFileError, match=r"2 of 6 images \(named in list.csv\) are not there.*no1"
    ):
        make(gone, mode)
    with pytest.raises(
        MissingFileError, match=r"none of the 4 images \(named in list.csv\) is there.*x/a"
    ):
        make("".join(f"x/{row}\n" for row in (TRAIN + TEST).split()), mode)


def test_folders_and_broken_links_are_no_images(make, tmp_path):
    make(TEST)
    (tmp_path / "shop" / "folder.jpg").mkdir()
    (tmp_path / "shop" / "broken.jpg").symlink_to("nowhere.jpg")
    for name in ("folder.jpg", "broken.jpg"):
        with pytest.raises(MissingFileError, match=f"1 of 3 images .* not there: .*{name}"):
            make(TEST + f"{name},3,1,gallery\n")
    with pytest.raises(UserError, match=r"no images in 1 places: .*list.csv \(it lists nothing"):
        make("")


def test_other_images_than_those_of_the_mode_may_be_missing_without_check(make, said):
    make(TRAIN + TEST + "no.jpg,3,1,gallery\n", "train", check=False)
    assert "no.jpg" in said[0]
    make(TRAIN + TEST + "no.jpg,8,1,train\n", "train", on_corrupt="skip")
    assert "no.jpg" in said[1]
    with pytest.raises(MissingFileError):
        make(TRAIN + TEST + "no.jpg,3,1,gallery\n", "test", check=False)


def test_other_readers_check_too(tmp_path, said):
    write_images(tmp_path / "VIPeR", "cam_a/001_45.bmp", "cam_a/002_45.bmp", "cam_b/002_90.bmp")
    (tmp_path / "VIPeR" / "cam_b" / "001_90.bmp").symlink_to("../cam_a/001_45.bmp")
    with pytest.raises(UserError, match="query and gallery at once"):
        VIPeR(tmp_path, mode="test", check=True, protocol="camera")
    folder = write_market(tmp_path)
    first = sorted((folder / "bounding_box_train").iterdir())[0]
    (folder / "query" / first.name).symlink_to(first)
    for mode in ("train", "test"):
        with pytest.raises(UserError, match="in the training and in the test set"):
            Market1501(tmp_path, mode=mode)
