"""Ranks learn of one another's requests at the same step."""

import pytest
from helpers.distributed import run_distributed

from mmreid_ext.engine.stopping.agreement import Agreement


def test_one_process_agrees_with_itself():
    agreement = Agreement()
    assert [agreement.now(3), agreement.at_last_step(4), agreement.now(0, lowest=True)] == [3, 4, 0]
    agreement.close()


def agree(rank, world_size):
    agreement = Agreement()
    said = [agreement.at_last_step(number) for number in (0, 7 if rank else 0, 0)]
    said += [agreement.now(rank + 1), agreement.now(rank + 1, lowest=True)]
    agreement.close()
    return said


@pytest.mark.slow
def test_one_rank_is_heard_by_all_one_step_later():
    assert run_distributed(agree, 2) == [[0, 0, 7, 2, 1]] * 2
