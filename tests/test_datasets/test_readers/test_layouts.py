"""Layouts in the wild, for every reader: read, or explained by what is really the matter."""

import pytest
from helpers.fake_images import write_images, write_market
from helpers.reader_trees import TREES, build, name_of

from mmreid_ext.datasets import PRID2011, Market1501, VIPeR
from mmreid_ext.errors import UserError


@pytest.mark.parametrize("reader", TREES, ids=name_of)
def test_names_off_the_pattern_lead_the_message(reader, tmp_path):
    folder, names = TREES[reader]
    odd = [f"{path.rpartition('/')[0]}/img-{i}.jpg" for i, path in enumerate(names.split())]
    write_images(tmp_path / folder, *odd)
    with pytest.raises(UserError) as error:
        reader(tmp_path, check=False)
    message = str(error.value)
    assert ": no name could be read: " in message and "img-0.jpg" in message
    assert reader.name_form and reader.name_form in message


@pytest.mark.parametrize("reader", TREES, ids=name_of)
@pytest.mark.parametrize("spelling", ["nested", "upper", "lower"])
def test_folders_nested_once_more_or_spelled_otherwise_are_found(reader, spelling, tmp_path):
    folder, names = TREES[reader]
    place = dict(nested=f"{folder}/{folder}", upper=folder.upper(), lower=folder.lower())[spelling]
    write_images(tmp_path / place, *names.split())
    dataset = reader(tmp_path, check=False, combine_all=True)
    straight = build(reader, tmp_path / "straight", combine_all=True)
    assert len(dataset) == len(straight)


def test_viper_and_prid_as_unpacked(tmp_path):
    write_images(tmp_path / "VIPeR.v1.0" / "VIPeR", "cam_a/001_45.bmp", "cam_b/001_90.bmp")
    assert len(VIPeR(tmp_path, mode="test", check=False, protocol="camera")) == 2
    write_images(tmp_path / "prid", "cam_a/person_0001.png", "cam_b/person_0001.png")
    assert len(PRID2011(tmp_path, mode="test", check=False, protocol="camera")) == 2


# CUHK03 as others have prepared it


def test_a_market_list_of_the_reader_itself_still_wins(tmp_path):
    write_market(tmp_path, train=3)
    write_market(tmp_path / "Market-1501-v15.09.15", train=5)
    assert Market1501(tmp_path, check=False).num_classes == 3
