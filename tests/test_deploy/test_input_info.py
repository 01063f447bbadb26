"""What a model takes survives reading and writing."""

import pytest
from helpers.exported_model import record

from mmreid_ext.deploy.input_info import read_input, written_input
from mmreid_ext.deploy.record_fields import Fields
from mmreid_ext.errors import UserError


@pytest.mark.parametrize("mean, std", [([1, 2, 3], [4, 5, 6]), (None, None)])
def test_reading_and_writing(mean, std):
    values = record(kind="uint8", channel_order="BGR", mean=mean, std=std)["input"]
    found = read_input(Fields(values, "input.", "m.onnx"))
    assert written_input(found) == values
    assert found.steps[0].interpolation == "bicubic"


def test_mean_and_std_belong_together():
    values = record(std=None)["input"]
    with pytest.raises(UserError, match=r"input.std is None, must be given together with mean"):
        read_input(Fields(values, "input.", "m.onnx"))
