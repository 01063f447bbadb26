import inspect

import pytest
import torch

from mmreid_ext.models.losses import BatchLoss


class Spy(BatchLoss):
    """Notes what `compare` is given."""

    def compare(self, feats, pids):
        self.seen = feats, pids
        return feats.sum()


def test_compare_gets_checked_and_widened_rows():
    loss, pids = Spy(), torch.tensor([0, 1])
    value = loss(torch.ones(2, 3).half(), pids)
    assert value == 6
    assert loss.seen[0].dtype == torch.float32
    assert loss.seen[1] is pids
    with pytest.raises(ValueError, match=r"Spy: pids have shape \(1,\), but must be \(2,\)"):
        loss(torch.ones(2, 3), pids[:1])


def test_the_head_sees_the_argument_names():
    assert list(inspect.signature(Spy().forward).parameters) == ["feats", "pids"]


def test_a_subclass_without_compare():
    with pytest.raises(TypeError, match="abstract.*compare"):
        BatchLoss()
