"""The archive of CUHK03."""

import pytest

from mmreid_ext.datasets import CUHK03
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
