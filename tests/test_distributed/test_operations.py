import pytest
import torch
from helpers.distributed import run_distributed

from mmreid_ext import distributed as ops

WORLD = 2
UNEVEN = (3, 1)
POSITIONS = ((7, 2), (0, 5))  # of the images; in order: rank 1's first, rank 0's second, ...
DTYPES = (torch.float64, torch.float32, torch.float16, torch.bfloat16, torch.int64, torch.bool)


def rows(num_rows, rank, width=2):
    generator = torch.Generator().manual_seed(rank)
    return torch.randn(num_rows, width, dtype=torch.float64, generator=generator)


def on_each_rank(rank, world_size):
    """Every operation of the module, on rows that differ between ranks."""
    found = {}
    x = rows(3, rank).requires_grad_()
    y = ops.gather_with_grad(x)
    # A different loss on every rank: its copies must be summed, and so must second derivatives.
    loss = (y.pow(3) * (rank + 1)).sum()
    (grad,) = torch.autograd.grad(loss, x, create_graph=True)
    (second,) = torch.autograd.grad(grad.pow(2).sum() * (rank + 1), x)
    found["gather"] = [y.detach(), grad.detach(), second]

    y, *labels = ops.gather_samples(x, torch.arange(3) - rank, torch.arange(3) == rank)
    (grad,) = torch.autograd.grad((y.pow(3) * (rank + 1)).sum(), x, create_graph=True)
    (second,) = torch.autograd.grad(grad.pow(2).sum() * (rank + 1), x)
    found["samples"] = [y.detach(), grad.detach(), second]
    found["samples_labels"] = labels
    odd = torch.tensor([[0.1, float("nan"), float("inf")]]) * (rank + 1)
    found["samples_odd"] = list(ops.gather_samples(odd, torch.tensor([-(2**60) - rank])))

    total = ops.all_reduce_sum(x)
    (grad,) = torch.autograd.grad((total.pow(3) * (rank + 1)).sum(), x, create_graph=True)
    (second,) = torch.autograd.grad(grad.pow(2).sum() * (rank + 1), x)
    found["sum"] = [total.detach(), grad.detach(), second]

    tensors = [x, x[0, 0] * 2, x.t()]
    means = ops.mean_over_ranks(tensors)
    (grad,) = torch.autograd.grad(sum((m.pow(2) * (rank + 1)).sum() for m in means), x)
    found["mean"] = [*(m.detach() for m in means), grad]

    found["uneven"] = ops.gather_rows(rows(UNEVEN[rank], rank).requires_grad_())
    found["uneven_dtypes"] = [ops.gather_rows(rows(UNEVEN[rank], rank).to(d)) for d in DTYPES]
    found["with_none"] = ops.gather_rows(rows(2 * rank, rank))
    found["transposed"] = ops.gather_rows(rows(3, rank).t())
    found["labels"] = ops.gather_with_grad(torch.arange(3) + 10 * rank)
    found["any"] = [ops.any_rank(torch.tensor(f)) for f in (rank == 1, False, True)]
    found["object"] = ops.broadcast_object({"split": [rank + 5, "a"]})
    found["objects"] = ops.gather_objects({"rank": rank})
    with ops.rows_at(POSITIONS[rank]):
        found["places"] = [list(ops.places_of_rows(n)) for n in (2, 4, 3)]
    found["places"].append(list(ops.places_of_rows(2)))
    found["place"] = [ops.get_rank(), ops.get_world_size(), ops.is_main(), ops.is_distributed()]
    ops.barrier()
    return found


@pytest.fixture(scope="module")
def by_rank():
    return run_distributed(on_each_rank, WORLD, timeout=300)


@pytest.fixture
def all_rows():
    return torch.cat([rows(3, rank) for rank in range(WORLD)]).requires_grad_()


def own(x, rank):
    return x.chunk(WORLD)[rank]


@pytest.mark.parametrize("rank", range(WORLD))
def test_gather_with_grad(by_rank, all_rows, rank):
    # The sum over ranks of loss * (rank + 1) is three times the loss, and so on for the next.
    (grad,) = torch.autograd.grad(3 * all_rows.pow(3).sum(), all_rows, create_graph=True)
    weights = torch.tensor([1.0, 2.0]).repeat_interleave(3)[:, None]
    (second,) = torch.autograd.grad((grad.pow(2) * weights).sum(), all_rows)
    expected = [all_rows, own(grad, rank), own(second, rank)]
    torch.testing.assert_close(by_rank[rank]["gather"], [t.detach() for t in expected])
    torch.testing.assert_close(by_rank[rank]["samples"], [t.detach() for t in expected])


@pytest.mark.parametrize("rank", range(WORLD))
def test_samples_keep_their_bits_and_types(by_rank, rank):
    integers, flags = by_rank[rank]["samples_labels"]
    assert integers.tolist() == [0, 1, 2, -1, 0, 1] and integers.dtype == torch.int64
    assert flags.tolist() == [True, False, False, False, True, False]
    odd, huge = by_rank[rank]["samples_odd"]
    expected = torch.tensor([[0.1, float("nan"), float("inf")]])
    assert torch.equal(odd.view(torch.int32), torch.cat([expected, 2 * expected]).view(torch.int32))
    assert huge.tolist() == [-(2**60), -(2**60) - 1]


@pytest.mark.parametrize("rank", range(WORLD))
def test_all_reduce_sum(by_rank, all_rows, rank):
    total = sum(all_rows.chunk(WORLD))
    (grad,) = torch.autograd.grad(3 * total.pow(3).sum(), all_rows, create_graph=True)
    weights = torch.tensor([1.0, 2.0]).repeat_interleave(3)[:, None]
    (second,) = torch.autograd.grad((grad.pow(2) * weights).sum(), all_rows)
    expected = [total, own(grad, rank), own(second, rank)]
    torch.testing.assert_close(by_rank[rank]["sum"], [t.detach() for t in expected])


@pytest.mark.parametrize("rank", range(WORLD))
def test_mean_over_ranks(by_rank, all_rows, rank):
    mean = sum(all_rows.chunk(WORLD)) / WORLD
    means = [mean, mean[0, 0] * 2, mean.t()]
    (grad,) = torch.autograd.grad(3 * sum(m.pow(2).sum() for m in means), all_rows)
    expected = [*(m.detach() for m in means), own(grad, rank)]
    torch.testing.assert_close(by_rank[rank]["mean"], expected)


@pytest.mark.parametrize("rank", range(WORLD))
def test_gather_rows(by_rank, rank):
    found = by_rank[rank]
    expected = torch.cat([rows(n, r) for r, n in enumerate(UNEVEN)])
    assert torch.equal(found["uneven"], expected)
    assert not found["uneven"].requires_grad
    for dtype, gathered in zip(DTYPES, found["uneven_dtypes"], strict=True):
        assert gathered.dtype == dtype
        assert torch.equal(gathered, expected.to(dtype))
    assert torch.equal(found["with_none"], rows(2, 1))
    assert torch.equal(found["transposed"], torch.cat([rows(3, r).t() for r in range(WORLD)]))
    assert found["labels"].tolist() == [0, 1, 2, 10, 11, 12]


@pytest.mark.parametrize("rank", range(WORLD))
def test_flags_objects_and_places(by_rank, rank):
    found = by_rank[rank]
    assert [bool(flag) for flag in found["any"]] == [True, False, True]
    assert all(flag.dtype == torch.bool for flag in found["any"])
    assert found["object"] == {"split": [5, "a"]}
    assert found["objects"] == [{"rank": 0}, {"rank": 1}]
    assert found["place"] == [rank, WORLD, rank == 0, True]


@pytest.mark.parametrize("rank", range(WORLD))
def test_places_of_rows(by_rank, rank):
    one_row, two_rows, no_multiple, outside = by_rank[rank]["places"]
    assert [t.tolist() for t in one_row] == [[[3, 1], [0, 2]][rank], [2, 1, 3, 0]]
    # Both rows of an image stay side by side.
    assert two_rows[0].tolist() == [[6, 7, 2, 3], [0, 1, 4, 5]][rank]
    assert two_rows[1].tolist() == [4, 5, 2, 3, 6, 7, 0, 1]
    # Rows that belong to no number of images, and rows without positions, are in rank order.
    assert [t.tolist() for t in no_multiple] == [[[0, 1, 2], [3, 4, 5]][rank], list(range(6))]
    assert [t.tolist() for t in outside] == [[[0, 1], [2, 3]][rank], list(range(4))]


def test_positions_hold_inside_the_block_only():
    assert ops.get_positions() is None
    with ops.rows_at([4, 1]):
        assert ops.get_positions() == (4, 1)
        with ops.rows_at(None):
            assert ops.get_positions() is None
        # One process holds its rows in its own order.
        assert [t.tolist() for t in ops.places_of_rows(2)] == [[0, 1], [0, 1]]
    with pytest.raises(KeyError), ops.rows_at([0]):
        raise KeyError
    assert ops.get_positions() is None


def test_one_process_without_a_group():
    x = rows(3, 0).requires_grad_()
    assert ops.gather_with_grad(x) is x
    assert ops.gather_samples(x, x[:, 0])[0] is x
    assert ops.all_reduce_sum(x) is x
    assert torch.equal(ops.gather_rows(x), x) and not ops.gather_rows(x).requires_grad
    assert ops.mean_over_ranks([x])[0] is x
    assert ops.mean_over_ranks([]) == []
    assert ops.any_rank(torch.tensor(True))
    assert ops.broadcast_object("a") == "a"
    assert (ops.get_rank(), ops.get_world_size(), ops.is_main()) == (0, 1, True)
    assert not ops.is_distributed()
    ops.barrier()
