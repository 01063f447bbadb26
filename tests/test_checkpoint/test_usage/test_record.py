"""The record of a checkpoint is read by applications, and refused in words."""

import pytest
import torch

from mmreid_ext.apis import read_deployment_info
from mmreid_ext.checkpoint.usage.record import FORMAT, KEY, recorded, recorded_size

RECORD = dict(format=FORMAT, embedding=dict(size=16), input=dict(height=64, width=32))


@pytest.fixture
def checkpoint(tmp_path):
    path = tmp_path / "w.pth"
    torch.save(dict(state_dict={}, meta={KEY: RECORD}), path)
    return path


def test_it_is_read_as_it_was_written(checkpoint):
    assert read_deployment_info(checkpoint) == RECORD


def test_reading_says_what_is_wrong(checkpoint, tmp_path):
    with pytest.raises(FileNotFoundError, match="No checkpoint"):
        read_deployment_info(tmp_path / "none.pth")
    torch.save(dict(meta={KEY: dict(RECORD, format=2)}), checkpoint)
    with pytest.raises(ValueError, match="format 2, this version .* format 1"):
        read_deployment_info(checkpoint)
    for nothing in (dict(meta={}), dict(meta=None), dict(state_dict={}), torch.zeros(1)):
        torch.save(nothing, checkpoint)
        with pytest.raises(ValueError, match="DeploymentInfoHook"):
            read_deployment_info(checkpoint)


def test_a_later_format_counts_as_no_record():
    assert recorded(dict(meta={KEY: RECORD})) == RECORD
    assert recorded(dict(meta={KEY: dict(RECORD, format=2)})) is None
    assert recorded({}) is None


@pytest.mark.parametrize(
    "size, expected",
    [(dict(height=64, width=32), (64, 32)), (dict(height=None, width=None), None), ({}, None)],
)
def test_the_recorded_size_is_given_if_it_is_known(size, expected):
    assert recorded_size(dict(meta={KEY: dict(RECORD, input=size)})) == expected


def test_no_record_no_size():
    assert recorded_size({}) is None
