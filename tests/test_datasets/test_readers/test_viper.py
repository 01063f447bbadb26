"""VIPeR's halves."""

import pytest
from helpers.reader_trees import build, rows

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
