"""Thresholds are kept with a checkpoint, and the rest of it stays bit for bit."""

import dataclasses
import os
import stat
from collections import OrderedDict
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
import torch
from mmengine.logging import HistoryBuffer

from mmreid_ext.apis import read_deployment_info
from mmreid_ext.checkpoint import safe_load
from mmreid_ext.checkpoint.plain import to_plain
from mmreid_ext.checkpoint.usage import (
    KEY,
    Threshold,
    read_thresholds,
    store_thresholds,
    threshold_sets,
)

HOME = [Threshold(0.01, 0.5, 0.9, 500, "home"), Threshold(0.001, None, None, 500, "home")]
STREET = [Threshold(0.001, 0.7, 0.6, 9000, "street"), Threshold(0.01, 0.6, 0.8, 9000, "street")]


@pytest.fixture
def checkpoint(tmp_path):
    path = tmp_path / "w.pth"
    record = dict(format=1, embedding=dict(size=2))
    optimizer = dict(state={0: dict(step=torch.tensor(3.0), betas=(0.9, 0.99))}, param_groups=[])
    content = dict(state_dict=dict(w=torch.randn(3)), optimizer=optimizer, meta={KEY: record})
    torch.save(content, path)
    return path


def test_what_is_stored_is_read_back(checkpoint):
    before = safe_load(checkpoint)
    assert store_thresholds(checkpoint, HOME) and store_thresholds(checkpoint, STREET)
    record = read_deployment_info(checkpoint)
    assert record["embedding"] == {"size": 2}
    assert read_thresholds(record, "home") == HOME
    assert threshold_sets(record) == ["home", "street"]
    after = safe_load(checkpoint)
    assert torch.equal(after["state_dict"]["w"], before["state_dict"]["w"])
    assert after["optimizer"] == before["optimizer"]


def test_the_set_of_most_pairs_is_preferred(checkpoint):
    store_thresholds(checkpoint, HOME + STREET)
    record = read_deployment_info(checkpoint)
    assert read_thresholds(record) == [STREET[1], STREET[0]], "the highest rate first"
    assert read_thresholds(record, "elsewhere") == []


def test_a_gallery_of_its_own_is_preferred_to_self_retrieval(checkpoint):
    """Pairs of one person from one camera, a moment apart, say little about two cameras."""
    alone = [dataclasses.replace(t, self_retrieval=True) for t in STREET]
    store_thresholds(checkpoint, HOME + alone)
    record = read_deployment_info(checkpoint)
    assert read_thresholds(record) == HOME
    assert read_thresholds(record, "street") == [alone[1], alone[0]]


def test_later_ones_of_a_set_replace_earlier_ones(checkpoint):
    store_thresholds(checkpoint, HOME + STREET)
    renewed = [dataclasses.replace(HOME[0], similarity=0.55)]
    store_thresholds(checkpoint, renewed)
    record = read_deployment_info(checkpoint)
    assert read_thresholds(record, "home") == renewed
    assert len(read_thresholds(record, "street")) == 2


def test_a_file_that_holds_them_is_not_touched(checkpoint):
    store_thresholds(checkpoint, HOME)
    before = os.stat(checkpoint)
    assert store_thresholds(checkpoint, HOME)
    after = os.stat(checkpoint)
    assert (after.st_ino, after.st_mtime_ns) == (before.st_ino, before.st_mtime_ns)


def test_a_file_without_record_stays(tmp_path):
    path = tmp_path / "w.pth"
    for content in (dict(w=torch.zeros(1)), dict(state_dict={}, meta={})):
        torch.save(content, path)
        before = path.read_bytes()
        assert not store_thresholds(path, HOME) and path.read_bytes() == before


def test_a_file_marked_as_read_only_stays_and_another_keeps_its_rights(checkpoint):
    checkpoint.chmod(0o444)
    before = checkpoint.read_bytes()
    with pytest.raises(PermissionError, match="read-only"):
        store_thresholds(checkpoint, HOME)
    assert checkpoint.read_bytes() == before
    checkpoint.chmod(0o664)
    store_thresholds(checkpoint, HOME)
    assert stat.S_IMODE(os.stat(checkpoint).st_mode) == 0o664


def test_tests_that_end_together_keep_the_thresholds_of_all(checkpoint):
    names = [f"set {number}" for number in range(6)]
    several = [[dataclasses.replace(HOME[0], dataset=name)] for name in names]
    with ThreadPoolExecutor(len(names)) as pool:
        list(pool.map(store_thresholds, [checkpoint] * len(names), several))
    assert threshold_sets(read_deployment_info(checkpoint)) == names


def test_all_else_in_the_file_stays_what_it_was(checkpoint):
    content = safe_load(checkpoint)
    history = HistoryBuffer([0.1, 0.2], [1, 1])
    content["message_hub"] = dict(log_scalars=dict(loss=history), rate=np.float32(0.5))
    content["state_dict"] = OrderedDict(content["state_dict"])
    content["state_dict"]._metadata = {"": dict(version=2)}
    torch.save(to_plain(content), checkpoint)
    store_thresholds(checkpoint, HOME)
    found = safe_load(checkpoint)
    read = found["message_hub"]
    assert np.array_equal(read["log_scalars"]["loss"].data[0], history.data[0])
    assert read["rate"] == np.float32(0.5) and isinstance(read["rate"], np.float32)
    assert found["state_dict"]._metadata == {"": dict(version=2)}
