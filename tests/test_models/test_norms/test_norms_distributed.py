"""Two ranks with parts of a batch compute what one rank computes on all of it."""

import pytest
import torch
from helpers.bin_layers import make_images, make_layer
from helpers.distributed import run_distributed

from mmreid_ext.distributed import get_rank, get_world_size
from mmreid_ext.models.norms import SyncBatchNorm, hold_running_stats

CHANNELS = 3
CASES = {  # sizes of the parts, shape of the rest
    "vectors": ((3, 3), (CHANNELS,)),
    "uneven vectors": ((5, 1), (CHANNELS,)),
    "maps": ((2, 2), (CHANNELS, 4, 3)),
    "uneven maps": ((1, 3), (CHANNELS, 4, 3)),
}


def build(kind):
    if kind == "BIN":
        return make_layer(CHANNELS)
    options = {"momentum": None} if kind == "cumulative" else {"affine": kind != "no affine"}
    layer = SyncBatchNorm(CHANNELS, **options).double()
    if layer.affine:
        layer.load_state_dict(make_layer(CHANNELS).state_dict(), strict=False)
    return layer


def kinds_of(case):
    return ("plain", "cumulative", "no affine", *(("BIN",) if "maps" in case else ()))


def run_case(case, kind):
    """This rank's rows of the output and of all gradients, and the running statistics."""
    parts, rest = CASES[case]
    layer = build(kind)
    batch, grad = make_images(sum(parts), *rest), make_images(sum(parts), *rest, seed=2)
    if get_world_size() > 1:
        batch, grad = batch.split(parts)[get_rank()], grad.split(parts)[get_rank()]
    batch = batch.clone().requires_grad_()
    with hold_running_stats(layer):
        held = layer(batch).detach()
    y = layer(batch)
    parameters = list(layer.parameters())
    grads = torch.autograd.grad(y, [batch, *parameters], grad, create_graph=True)
    plain = torch.autograd.grad(layer(batch), [batch, *parameters], grad)
    second = torch.autograd.grad(sum(g.pow(2).sum() for g in grads[:1]), [batch, *parameters[:1]])
    buffers = [b.detach().double() for b in layer.buffers()]
    rows = [held, y.detach(), grads[0].detach(), plain[0], second[0]]
    sums = [g.detach() for g in (*grads[1:], *plain[1:], *second[1:])]
    return rows, sums, buffers


def run_all(rank, world_size):
    return {f"{case}/{kind}": run_case(case, kind) for case in CASES for kind in kinds_of(case)}


@pytest.fixture(scope="module")
def by_rank():
    return run_distributed(run_all, 2, timeout=300)


@pytest.mark.parametrize("case", CASES)
def test_two_ranks_equal_one(by_rank, case):
    for kind in kinds_of(case):
        key = f"{case}/{kind}"
        rows, sums, buffers = run_case(case, kind)
        first, second = by_rank[0][key], by_rank[1][key]
        torch.testing.assert_close(
            list(map(torch.cat, zip(first[0], second[0], strict=True))), rows, msg=key
        )
        torch.testing.assert_close(
            [a + b for a, b in zip(first[1], second[1], strict=True)], sums, msg=key
        )
        torch.testing.assert_close(first[2], buffers, msg=key)
        torch.testing.assert_close(second[2], first[2], rtol=0, atol=0, msg=key)
