import pytest

from mmreid_ext.protocols.crop_names import crop_name, split_crop_name


def test_a_crop_has_a_name_that_can_be_read_back():
    name = crop_name("a b/0001.jpg", (3, 0, 10, 20))
    assert name == "a b/0001.jpg#xywh=3,0,10,20"
    assert split_crop_name(name) == ("a b/0001.jpg", (3, 0, 10, 20))


@pytest.mark.parametrize("name", ["a.jpg", "", "a#1.jpg", "a.jpg#xywh=1,2,3", "#xywh=1,2,3,4.jpg"])
def test_other_names_are_whole_pictures(name):
    assert split_crop_name(name) == (name, None)
