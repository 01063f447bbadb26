"""VIPeR's halves."""

import pytest
from helpers.reader_trees import build, check_records, rows

from mmreid_ext.datasets import (
    VIPeR,
)


@pytest.mark.parametrize("half, pids", [(1, [0, 3]), (2, [12, 873])])
def test_viper_halves_in_numeric_order(tmp_path, half, pids):
    dataset = build(VIPeR, tmp_path, mode="test", half=half)
    assert sorted({record[0] for record in rows(dataset, "query")}) == pids
    assert dataset.metainfo["test_sets"]["viper"]["protocol"] == "camera"
    assert build(VIPeR, tmp_path, half=half, combine_all=True).num_classes == 2


def test_viper_refuses_other_halves(tmp_path):
    with pytest.raises(ValueError, match="half must be 1, 2 or None"):
        build(VIPeR, tmp_path, half=3)


def test_records_of_the_published_layout(tmp_path):
    check_records(
        VIPeR,
        tmp_path,
        combined=(8, 4),
        query=[(0, 0), (3, 0), (12, 0), (873, 0)],
        gallery=[(0, 1), (3, 1), (12, 1), (873, 1)],
        protocol="viper",
    )
