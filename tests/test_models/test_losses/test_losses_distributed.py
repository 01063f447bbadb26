"""Two ranks with half of the batch each compute what one rank computes on all of it."""

import pytest
import torch
from helpers.distributed import run_distributed

from mmreid_ext import distributed
from mmreid_ext.distributed import get_rank, get_world_size
from mmreid_ext.models import BNNeckHead
from mmreid_ext.models.losses import (
    BatchHardTripletLoss,
    CenterLoss,
    CircleLoss,
    ContrastiveLoss,
    CrossBatchMemory,
    DomainScatterLoss,
    DomainShuffleLoss,
    EMLLoss,
    LabelSmoothingLoss,
    MarginSampleMiningLoss,
    MultiSimilarityLoss,
    NPairsLoss,
    TripletMarginLoss,
)

FEAT_DIM, NUM_CLASSES = 5, 6
# Rows 0-7 are rank 0's, 8-15 rank 1's; identity 3 and domain 1 live on both.
PIDS = torch.tensor([0, 0, 1, 1, 3, 3, 2, 2, 3, 3, 4, 4, 5, 5, 4, 4])
DOMAINS = torch.tensor([0, 0, 0, 0, 1, 1, 0, 0, 1, 1, 1, 1, 2, 2, 2, 2])


def make_losses():
    def memory(loss):
        return CrossBatchMemory(loss, memory_size=40, feat_dim=FEAT_DIM, start_iter=1)

    centers = CenterLoss(NUM_CLASSES, FEAT_DIM, torch.Generator().manual_seed(0))
    return {
        "triplet": BatchHardTripletLoss(),
        "triplet_cosine": BatchHardTripletLoss(None, "cosine"),
        "center": centers,
        "circle": CircleLoss(scale=16.0),
        "contrastive": ContrastiveLoss(0.0),
        "scatter": DomainScatterLoss(),
        "shuffle": DomainShuffleLoss(),
        "eml": EMLLoss(),
        "identity": LabelSmoothingLoss(),
        "margin_sample_mining": MarginSampleMiningLoss(2.0),
        "multi_similarity": MultiSimilarityLoss(mining_margin=1.0),
        "npairs": NPairsLoss(),
        "all_triplets": TripletMarginLoss(),
        "memory_contrastive": memory(ContrastiveLoss(0.0)),
        "memory_triplet": memory(BatchHardTripletLoss(0.1, "cosine")),
    }


LOCAL_MEANS = ("center", "identity")  # per-sample losses: only the mean over ranks is global


def local_rows(x):
    return x.chunk(get_world_size())[get_rank()]


def average(x):
    """Mean over ranks, as DistributedDataParallel does to gradients."""
    x = x.detach().clone()
    if get_world_size() > 1:
        torch.distributed.all_reduce(x)
    return x / get_world_size()


def three_steps(rank, world_size):
    """Values, gradients and state of every loss on a linear embedding, three batches each."""
    results = {}
    for name, loss in make_losses().items():
        generator = torch.Generator().manual_seed(1)
        loss = loss.double()
        weight = torch.randn(4, FEAT_DIM, generator=generator).double().requires_grad_()
        for step in range(3):
            images = local_rows(torch.randn(16, 4, generator=generator).double())
            inputs = dict(pids=local_rows(PIDS))
            inputs["logits" if name == "identity" else "feats"] = images @ weight
            if name in ("scatter", "shuffle"):
                inputs["domains"] = local_rows(DOMAINS)
            if name == "scatter":
                del inputs["pids"]
            if name == "identity":
                inputs["logits"] = torch.cat([inputs["logits"], inputs["logits"][:, :1]], dim=1)
            value = loss(**inputs)
            value = sum(value.values()) if isinstance(value, dict) else value
            parameters = [weight, *loss.parameters()]
            grads = torch.autograd.grad(value, parameters)
            value = average(value) if name in LOCAL_MEANS else value.detach()
            results[f"{name}/{step}"] = [value, *map(average, grads)]
        results[f"{name}/state"] = [value.detach() for value in loss.state_dict().values()]
    return results


@pytest.fixture(scope="module")
def two_ranks():
    return run_distributed(three_steps, 2)


def test_two_ranks_equal_one(two_ranks):
    expected = three_steps(0, 1)
    for rank in (0, 1):
        assert two_ranks[rank].keys() == expected.keys()
        for key, values in expected.items():
            # Float64: only the order of sums differs.
            torch.testing.assert_close(
                two_ranks[rank][key], values, rtol=1e-9, atol=1e-12, msg=f"{key} on rank {rank}"
            )


def test_ranks_agree_to_the_last_bit(two_ranks):
    first, second = two_ranks
    for key, values in first.items():
        assert all(map(torch.equal, values, second[key])), key


def test_memory_is_in_rank_order(two_ranks):
    names = make_losses()["memory_contrastive"].state_dict()
    state = dict(zip(names, two_ranks[1]["memory_contrastive/state"], strict=True))
    assert state["memory_pids"][:32].tolist() == PIDS.tolist() * 2
    assert state["fill"] == 32


HEAD_LOSSES = dict(
    ce=dict(type="mmreid_ext.LabelSmoothingLoss"),
    triplet=dict(type="mmreid_ext.BatchHardTripletLoss"),
    scatter=dict(type="mmreid_ext.DomainScatterLoss"),
    shuffle=dict(type="mmreid_ext.DomainShuffleLoss"),
    local=dict(type="mmreid_ext.BatchHardTripletLoss", across_ranks=False),
)


def losses_of_a_head(rank, world_size):
    """A pass's losses together and one by one, with the messages of either."""
    head = BNNeckHead(NUM_CLASSES, FEAT_DIM, HEAD_LOSSES, with_neck=False).double()
    messages = []
    gather = distributed._all_gather_equal
    distributed._all_gather_equal = lambda x: messages.append(x.shape) or gather(x)
    feats = torch.randn(16, FEAT_DIM, generator=torch.Generator().manual_seed(1)).double()
    feats = local_rows(feats).requires_grad_()
    pids, domains = local_rows(PIDS), local_rows(DOMAINS)
    head.classifier.weight.data.fill_(0.1)

    def run(names):
        messages.clear()
        terms = head.loss(head(feats), pids, domains, names)
        (grad,) = torch.autograd.grad(sum(terms.values()), feats)
        return {name: term.detach() for name, term in terms.items()}, grad, len(messages)

    return run(list(HEAD_LOSSES)), [run([name]) for name in HEAD_LOSSES]


def test_losses_of_a_pass_share_one_gather():
    for together, one_by_one in run_distributed(losses_of_a_head, 2):
        terms, grad, num_messages = together
        assert num_messages == 1
        assert [num for _, _, num in one_by_one] == [0, 1, 1, 1, 0]
        for single, _, _ in one_by_one:
            for name, value in single.items():
                assert torch.equal(value, terms[name])
        torch.testing.assert_close(grad, sum(grad for _, grad, _ in one_by_one))


def local_only(rank, world_size):
    feats = torch.randn(8, 3, generator=torch.Generator().manual_seed(rank))
    return BatchHardTripletLoss(across_ranks=False)(feats, torch.arange(8) // 2)


def test_mining_can_stay_on_the_rank():
    values = run_distributed(local_only, 2)
    assert values[0] != values[1]
    for rank, value in enumerate(values):
        torch.testing.assert_close(value, local_only(rank, 1))
