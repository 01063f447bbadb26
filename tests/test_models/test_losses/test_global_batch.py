"""Sharing one gather; what the gather itself does on two ranks is in test_losses_distributed."""

import pytest
import torch

from mmreid_ext.models.losses import global_batch as module
from mmreid_ext.models.losses.global_batch import global_batch, one_gather, rows_of_all_ranks

FEATS, PIDS, DOMAINS = torch.randn(2, 3), torch.tensor([0, 1]), torch.tensor([2, 2])


@pytest.fixture
def gathers(monkeypatch):
    """As of two ranks with equal rows; a list of the arguments of all gathers."""
    calls = []

    def gather(*tensors):
        calls.append(tensors)
        return tuple(torch.cat([t, t]) for t in tensors)

    monkeypatch.setattr(module, "gather_samples", gather)
    return calls


def test_losses_share_one_gather(gathers):
    with one_gather(FEATS, PIDS, DOMAINS):
        first = global_batch(FEATS, PIDS)
        second = global_batch(FEATS, DOMAINS)
    assert len(gathers) == 1
    assert first[0] is second[0]
    assert torch.equal(first[1], PIDS.repeat(2))
    assert torch.equal(second[1], DOMAINS.repeat(2))


def test_nothing_is_gathered_before_a_loss_asks(gathers):
    with one_gather(FEATS, PIDS):
        assert global_batch(FEATS, PIDS, across_ranks=False) == (FEATS, PIDS)
    assert gathers == []


def test_other_tensors_and_other_blocks_have_gathers_of_their_own(gathers):
    with one_gather(FEATS, PIDS):
        global_batch(FEATS, PIDS)
        global_batch(FEATS + 1, PIDS)
    global_batch(FEATS, PIDS)
    assert len(gathers) == 3


def test_blocks_nest_and_end_with_an_error(gathers):
    with one_gather(FEATS, PIDS):
        outer = global_batch(FEATS, PIDS)
        with pytest.raises(KeyError), one_gather(FEATS, DOMAINS):
            raise KeyError
        assert global_batch(FEATS, PIDS)[0] is outer[0]
    assert len(gathers) == 1


def test_a_block_inside_one_over_the_same_tensors_changes_nothing(gathers):
    half = FEATS.half()
    with one_gather(half, PIDS) as outer:
        assert outer.dtype == torch.float32 and torch.equal(outer, half.float())
        with one_gather(half, PIDS) as inner:
            assert inner is outer
            found = global_batch(inner, PIDS)[0]
        assert global_batch(outer, PIDS)[0] is found
        with one_gather(half, DOMAINS) as other:  # other labels: another gather
            global_batch(other, DOMAINS)
    assert len(gathers) == 2


def test_rows_of_all_ranks_are_those_of_the_losses(gathers, monkeypatch):
    assert rows_of_all_ranks(FEATS) is None  # no block
    with one_gather(FEATS, PIDS):
        assert rows_of_all_ranks(FEATS) is None  # one rank
        monkeypatch.setattr(module, "is_distributed", lambda: True)
        assert rows_of_all_ranks(FEATS + 1) is None and gathers == []
        assert rows_of_all_ranks(FEATS) is global_batch(FEATS, PIDS)[0]
    assert len(gathers) == 1
