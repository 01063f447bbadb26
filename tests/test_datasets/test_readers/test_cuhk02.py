"""CUHK02's pairs of cameras."""

import pytest
from helpers.fake_images import write_images
from helpers.reader_trees import check_records

from mmreid_ext.datasets import CUHK02
from mmreid_ext.errors import UserError


def test_cuhk02_with_other_names_is_explained(tmp_path):
    cameras = [f"Dataset/P{pair}/cam{view}" for pair in range(1, 6) for view in (1, 2)]
    write_images(tmp_path / "CUHK02", *(f"{camera}/001-1.png" for camera in cameras))
    with pytest.raises(UserError, match="no name could be read: 10 files .*001-1.png"):
        CUHK02(tmp_path)


def test_records_of_the_published_layout(tmp_path):
    check_records(
        CUHK02,
        tmp_path,
        combined=(10, 5),
        train=[(p * 10000 + 1, 2 * p - 2 + c) for p in range(1, 5) for c in (0, 1)],
        query=[(50001, 8)],
        gallery=[(50001, 9)],
    )
