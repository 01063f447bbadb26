"""Layers that share a message compute what each computes alone, on one rank and on two."""

import pytest
import torch
from helpers.bin_layers import make_images, make_layer
from helpers.distributed import run_distributed
from helpers.tools import load_tool
from torch import nn

from mmreid_ext.distributed import get_rank, get_world_size
from mmreid_ext.models.norms import SyncBatchNorm, normalize_together, share_messages

SHAPES = ((3, 4, 3), (5, 2, 2))  # channels, height, width of either map
PARTS = {"even": (2, 2), "uneven": (1, 3)}


def make_layers():
    batch_norm = SyncBatchNorm(SHAPES[1][0], momentum=None).double()
    batch_norm.load_state_dict(make_layer(SHAPES[1][0], seed=3).state_dict(), strict=False)
    return make_layer(SHAPES[0][0]), batch_norm


def own_part(x, parts):
    return x.split(parts)[get_rank()] if get_world_size() > 1 else x


def normalise(parts, how, used=(0, 1)):
    """This rank's rows of outputs and gradients, its sums of parameters' gradients, and buffers."""
    layers = make_layers()
    images, grads = (
        [own_part(make_images(4, *shape, seed=seed + i), parts) for i, shape in enumerate(SHAPES)]
        for seed in (1, 11)
    )
    images = [x.clone().requires_grad_() for x in images]
    parameters = [p for i in used for p in layers[i].parameters()]
    inputs = [images[i] for i in used]
    ys = how(layers, images)
    loss = sum((ys[i] * grads[i]).sum() for i in used)
    plain = torch.autograd.grad(loss, [*inputs, *parameters], retain_graph=True)
    first = torch.autograd.grad(loss, [*inputs, *parameters], create_graph=True)
    second = torch.autograd.grad(sum(g.pow(2).sum() for g in first[: len(used)]), inputs)
    rows = [*(y.detach() for y in ys), *plain[: len(used)], *second]
    rows += [g.detach() for g in first[: len(used)]]
    sums = [g.detach() for g in (*plain[len(used) :], *first[len(used) :])]
    return rows, sums, [b.detach().double() for layer in layers for b in layer.buffers()]


def apart(layers, images):
    return [layer(x) for layer, x in zip(layers, images, strict=True)]


def on_each_rank(rank, world_size):
    """Results together, apart, with one branch unused; and the messages of one step of each."""
    counting = load_tool("benchmarks/counted_messages")
    found = {name: normalise(parts, normalize_together) for name, parts in PARTS.items()}
    found["one used"] = normalise(PARTS["even"], normalize_together, used=(1,))
    numbers = []
    for how in (apart, normalize_together):
        layers = make_layers()
        images = [make_images(2, *shape).requires_grad_() for shape in SHAPES]
        with counting.noted_messages() as messages:
            ys = how(layers, images)
            torch.autograd.grad(sum(y.sum() for y in ys), images)
        numbers.append([(m.kind, m.name, m.size) for m in messages])
    frozen, batch_norm = make_layers()
    frozen.eval()
    found["shared"] = [share_messages(batch_norm), share_messages(frozen, batch_norm)]
    return found, numbers


@pytest.fixture(scope="module")
def by_rank():
    return run_distributed(on_each_rank, 2, timeout=300)


@pytest.mark.parametrize("case", [*PARTS, "one used"])
def test_two_ranks_equal_one(by_rank, case):
    used = (1,) if case == "one used" else (0, 1)
    rows, sums, buffers = normalise(None, apart, used)
    first, second = (found[case] for found, _ in by_rank)
    # Float64: only the order of sums differs.
    close = dict(rtol=1e-10, atol=1e-12)
    joined = list(map(torch.cat, zip(first[0], second[0], strict=True)))
    torch.testing.assert_close(joined, rows, **close)
    added = [a + b for a, b in zip(first[1], second[1], strict=True)]
    torch.testing.assert_close(added, sums, **close)
    torch.testing.assert_close(first[2], buffers, **close)
    torch.testing.assert_close(second[2], first[2], rtol=0, atol=0)


def test_one_message_each_way(by_rank):
    numbers = [8 * (2 * channels + 1) for channels, *_ in SHAPES]  # float64: 8 bytes each
    for found, (one_by_one, together) in by_rank:
        forward = [("moments", "gather", size) for size in numbers]
        backward = [("moments", "sum", size - 8) for size in numbers]
        assert sorted(one_by_one) == sorted(forward + backward)
        assert together == [
            ("moments", "gather", sum(numbers)),
            ("moments", "sum", sum(numbers) - 16),
        ]
        assert found["shared"] == [True, False]


def test_one_rank_calls_the_layers():
    layers = [*make_layers(), nn.ReLU()]
    called = []
    for layer in layers:
        layer.register_forward_hook(lambda layer, inputs, y: called.append(layer))
    images = [make_images(2, *shape) for shape in (*SHAPES, (1, 1, 1))]
    expected = [layer(x) for layer, x in zip(make_layers(), images, strict=False)]
    found = normalize_together(layers, images)
    assert all(map(torch.equal, found, expected)) and called == layers
    assert not share_messages(*layers)
