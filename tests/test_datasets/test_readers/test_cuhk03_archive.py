"""The archive of CUHK03."""

import pytest

from mmreid_ext.datasets import CUHK03
from mmreid_ext.datasets.readers.cuhk03_archive import image_name, parse_name
from mmreid_ext.errors import UserError


@pytest.mark.parametrize("content", [b"", b"y" * 100, b"y" * 300, b"\0" * 500])
def test_archives_that_are_something_else_are_named(tmp_path, content):
    pytest.importorskip("h5py")
    folder = tmp_path / "cuhk03_release"
    folder.mkdir()
    (folder / "cuhk-03.mat").write_bytes(content)
    protocol = folder / "cuhk03_new_protocol_config_detected.mat"
    protocol.write_bytes(content)
    with pytest.raises(UserError, match="cuhk-03.mat can't be opened as a MATLAB 7.3 file"):
        CUHK03(tmp_path)
    (folder / "images_detected").mkdir()
    with pytest.raises(UserError, match="detected.mat is not a file of CUHK03's new protocol"):
        CUHK03(tmp_path)


def test_names_of_pictures_tell_pair_person_and_view():
    assert image_name(2, 31, 5) == "2_031_1_05.png" and image_name(2, 31, 6) == "2_031_2_06.png"
    assert parse_name("2_031_1_05.png") == (2, 31, 0)
    assert parse_name("2_031_2_06.png") == (2, 31, 1)
    with pytest.raises(UserError, match="'x.png' is not <pair>"):
        parse_name("x.png")
