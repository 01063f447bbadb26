"""Shared work: everybody's rows arrive, uneven and empty shares too, and an error reaches all."""

import pytest
import torch
from helpers.distributed import run_distributed

from mmreid_ext import distributed as ops
from mmreid_ext.errors import RankLostError

DTYPES = (torch.float64, torch.float16, torch.int64, torch.int32, torch.bool)


@pytest.mark.parametrize("number", [0, 1, 2, 7, 8])
@pytest.mark.parametrize("world_size", [1, 2, 3])
def test_shares_hold_each_row_once(number, world_size):
    even = ops.even_shares(number, world_size)
    assert [owner for *_, owner in even] == list(range(world_size))
    lengths = [stop - start for start, stop, _ in even]
    assert max(lengths) - min(lengths) <= 1
    dealt = ops.dealt_blocks(number, 3, world_size)
    assert {owner for *_, owner in dealt} <= set(range(world_size))
    for shares in (even, dealt):
        assert [row for a, b, _ in shares for row in range(a, b)] == list(range(number))


def matrix(number, dtype=torch.float64):
    return (torch.arange(3 * number).view(number, 3) % 5 * 0.5).to(dtype)


def filled_in(rank, expected, shares):
    """Whether a result of which each rank knows its own shares becomes the whole one."""
    result = torch.full_like(expected, 9)
    for start, stop, owner in shares:
        if owner == rank:
            result[start:stop] = expected[start:stop]
    return torch.equal(ops.fill_in(result, shares), expected)


def on_each_rank(rank, world_size):
    found = {"filled": [], "sent": []}
    for number in (7, 1, 0):  # with one row, a rank has none
        even = ops.even_shares(number, world_size)
        for shares in (even, ops.dealt_blocks(number, 2, world_size)):
            for dtype in DTYPES:
                expected = matrix(number, dtype)
                found["filled"].append(filled_in(rank, expected, shares))
                found["filled"].append(filled_in(rank, expected[:, 1].contiguous(), shares))
        found["sent"].append(ops.rows_from_all(matrix(number) + rank, even))
    alone = torch.full((2,), rank)
    found["alone"] = ops.fill_in(alone, ops.even_shares(2, 1), shared=False)
    return found


def test_every_rank_gets_the_rows_of_all():
    for rank, found in enumerate(run_distributed(on_each_rank, 2)):
        assert all(found["filled"]) and len(found["filled"]) == 60
        for number, sent in zip((7, 1, 0), found["sent"], strict=True):
            start, stop, _ = ops.even_shares(number, 2)[rank]
            for owner, rows in enumerate(sent):
                assert torch.equal(rows, matrix(number)[start:stop] + owner)
        assert found["alone"].tolist() == [rank] * 2, "nothing is sent where work isn't shared"


def failing(rank, world_size):
    """Ranks of which one fails go on together, and say which it was."""
    said = []
    with ops.agreed("nothing"):
        pass
    try:
        with ops.agreed("counting"):
            if rank == 1:
                raise KeyError("no such row")
    except KeyError as error:
        said.append(repr(error))
    except RankLostError as error:
        said.append(str(error))
    try:
        with ops.agreed("alone", shared=False):
            if rank == 0:
                raise ValueError("of this rank")
    except ValueError as error:
        said.append(str(error))
    return [*said, float(ops.all_reduce_sum(torch.ones(1)))]


def test_an_error_of_one_rank_is_raised_on_all_and_names_it():
    zero, one = run_distributed(failing, 2, timeout=60)
    told = "counting: rank 1 failed with KeyError: 'no such row'; see what it wrote itself."
    assert zero[0] == told
    assert one[0] == "KeyError('no such row')"
    assert zero[1:] == ["of this rank", 2.0] and one[1:] == [2.0]


def test_without_a_process_group_errors_are_raised_as_they_are():
    with pytest.raises(KeyError, match="mine"), ops.agreed("work"):
        raise KeyError("mine")
    assert ops.ranks_sharing() == (0, 1)
    x = matrix(3)
    assert ops.fill_in(x, ops.even_shares(3, 1)) is x
    assert torch.equal(ops.rows_from_all(x, ops.even_shares(3, 1))[0], x)
