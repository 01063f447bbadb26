"""What stands in two places is found when a set is read, by whatever reader."""

import re
import shutil

import pytest
from helpers.shop_list import TEST, TRAIN

from mmreid_ext.errors import UserError


def test_a_clean_list_is_read_without_a_word(make, said):
    for mode in ("train", "test"):
        make(TRAIN + TEST, mode)
    assert said == []


ERRORS = {
    "query in gallery": (TRAIN + TEST + "q.jpg,3,1,gallery\n", "query and gallery at once.*q.jpg"),
    "two identities": (TRAIN + TEST + "a.jpg,9,1,train\n", r"two identities.*a.jpg \(8 and 9\)"),
    "train and test": (TRAIN + TEST + "a.jpg,8,1,gallery\n", "training and in the test.*a.jpg"),
    "other spelling": (TRAIN + TEST + "../shop/./a.jpg,8,1,gallery\n", "training and in the test"),
}
WARNINGS = {
    "listed twice": (TRAIN + TEST + "g.jpg,3,1,gallery\n", "listed more than once.*g.jpg"),
    "identity on both sides": (TRAIN + "q.jpg,8,0,query\ng.jpg,8,1,gallery\n", "identities.*: 8"),
}


@pytest.mark.parametrize("mode", ["train", "test"])
@pytest.mark.parametrize("rows, words", ERRORS.values(), ids=ERRORS)
def test_what_makes_a_set_useless_is_refused_in_both_modes(make, said, mode, rows, words):
    with pytest.raises(UserError, match=words):
        make(rows, mode)
    make(rows, mode, check=False)
    assert said


@pytest.mark.parametrize("mode", ["train", "test"])
@pytest.mark.parametrize("rows, words", WARNINGS.values(), ids=WARNINGS)
def test_what_is_odd_is_said_in_both_modes(make, said, mode, rows, words):
    make(rows, mode)
    assert any(re.search(words, text) for text in said)


def test_the_camera_rule_keeps_a_query_from_finding_itself(make, said):
    both = "q.jpg,3,0,query\nq.jpg,3,0,gallery\ng.jpg,3,1,query\ng.jpg,3,1,gallery\n"
    assert len(make(both)) == 4 and said == []
    for protocol in ("no_camera", dict(type="no_camera")):
        with pytest.raises(UserError, match="query and gallery at once"):
            make(both, protocol=protocol)


def test_training_on_everything_is_meant(make, said):
    make(TRAIN + "q.jpg,8,0,query\ng.jpg,8,1,gallery\n", "train", combine_all=True)
    assert said == []


def test_links_and_copies(make, said, tmp_path):
    make(TEST)
    shop = tmp_path / "shop"
    (shop / "link.jpg").symlink_to("q.jpg")
    (tmp_path / "door").symlink_to(shop)
    shutil.copy(shop / "q.jpg", shop / "copy.jpg")
    for name in ("link.jpg", "../door/q.jpg", f"{tmp_path}/door/link.jpg"):
        with pytest.raises(UserError, match="query and gallery at once"):
            make(TEST + f"{name},3,1,gallery\n")
    copied = TEST + "copy.jpg,3,1,gallery\n"
    assert len(make(copied)) == 3
    with pytest.raises(UserError, match="query and gallery at once"):
        make(copied, compare_files="content")
    with pytest.raises(UserError, match="compare_files='size', must be 'path' or 'content'"):
        make(copied, compare_files="size")


# Missing files


# Several sources
