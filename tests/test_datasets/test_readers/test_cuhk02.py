"""CUHK02's pairs of cameras."""

import pytest
from helpers.fake_images import write_images

from mmreid_ext.datasets import CUHK02
from mmreid_ext.errors import UserError


def test_cuhk02_with_other_names_is_explained(tmp_path):
    cameras = [f"Dataset/P{pair}/cam{view}" for pair in range(1, 6) for view in (1, 2)]
    write_images(tmp_path / "CUHK02", *(f"{camera}/001-1.png" for camera in cameras))
    with pytest.raises(UserError, match="no name could be read: 10 files .*001-1.png"):
        CUHK02(tmp_path)
