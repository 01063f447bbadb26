"""Suggestions for misspelt names."""

import pytest

from mmreid_ext.suggest import did_you_mean, nearest

COLUMNS = ("path", "pid", "camid", "split", "domain")


@pytest.mark.parametrize("written", ["cam_id", "cam", "Camid", "CAMID", "cmaid", "Cam ID"])
def test_the_column_meant_is_found(written):
    assert did_you_mean(written, COLUMNS) == " (did you mean 'camid'?)"


def test_nothing_near_says_nothing():
    assert did_you_mean("colour", COLUMNS) == ""
    assert did_you_mean("camid", []) == ""
    assert nearest("", COLUMNS) is None
    assert nearest(7, [70, 3]) == "70"
