import collections
import copy

import pytest
import torch

from mmreid_ext.models.losses import (
    BatchHardTripletLoss,
    CenterLoss,
    ContrastiveLoss,
    CrossBatchMemory,
    MultiSimilarityLoss,
)


def batch(size, label, feat_dim=3):
    """Rows that name themselves: feature [label, row, 1], identity ``label``."""
    rows = torch.arange(size, dtype=torch.float32)
    feats = torch.stack([torch.full_like(rows, label), rows, torch.ones_like(rows)], dim=1)
    return feats, torch.full((size,), label)


def random_batch(generator, size=6, feat_dim=4, num_ids=3):
    feats = torch.randn(size, feat_dim, generator=generator).requires_grad_()
    return feats, torch.randint(num_ids, (size,), generator=generator)


@pytest.mark.parametrize("sizes", [[4, 4, 4, 4], [5, 5, 5], [3, 10, 1, 7], [10, 10]])
def test_ring_is_first_in_first_out(sizes):
    memory = CrossBatchMemory(ContrastiveLoss(), memory_size=10, feat_dim=3, start_iter=0)
    queue = collections.deque(maxlen=10)
    for label, size in enumerate(sizes):
        feats, pids = batch(size, label)
        memory(feats, pids)
        queue.extend((tuple(row), label) for row in feats.tolist())
        stored = memory.memory_feats[: memory.fill].tolist()
        pairs = zip(stored, memory.memory_pids[: memory.fill].tolist(), strict=True)
        assert sorted((tuple(row), pid) for row, pid in pairs) == sorted(queue)
        oldest_first = torch.roll(memory.memory_pids, -int(memory.pointer))
        if memory.fill == 10:
            assert oldest_first.tolist() == [pid for _, pid in queue]


def test_reference_wrap_overwrites_the_newest_rows():
    """Size 10, batches of 4: the third overwrites rows 6..9, two of the second among them."""
    memory = CrossBatchMemory(ContrastiveLoss(), 10, 3, start_iter=0, wrap="reference")
    pointers = []
    for label in (1, 2, 3):
        memory(*batch(4, label))
        pointers.append(int(memory.pointer))
    assert pointers == [4, 8, 0]
    assert memory.memory_pids.tolist() == [1, 1, 1, 1, 2, 2, 3, 3, 3, 3]
    assert memory.fill == 10
    memory(*batch(4, 4))
    assert memory.memory_pids.tolist() == [4, 4, 4, 4, 2, 2, 3, 3, 3, 3]
    assert memory.pointer == 4


def test_reference_wrap_waits_when_the_end_is_met_exactly():
    memory = CrossBatchMemory(ContrastiveLoss(), 8, 3, start_iter=0, wrap="reference")
    for label in (1, 2):
        memory(*batch(4, label))
    assert memory.pointer == 8
    memory(*batch(4, 3))
    assert memory.memory_pids.tolist() == [1, 1, 1, 1, 3, 3, 3, 3]
    assert memory.pointer == 0


@pytest.mark.parametrize("wrap", ["ring", "reference"])
def test_memory_of_class_zero_is_not_empty(wrap):
    memory = CrossBatchMemory(ContrastiveLoss(), 10, 3, start_iter=0, wrap=wrap)
    for _ in range(3):
        feats, pids = batch(4, 0)
        losses = memory(feats, pids)
    assert memory.fill == 10
    assert losses["loss_memory"] > 0


@pytest.mark.parametrize(
    "loss", [ContrastiveLoss(0.0), MultiSimilarityLoss(), BatchHardTripletLoss(0.1, "cosine")]
)
def test_terms_are_the_loss_in_the_batch_and_against_the_memory(generator, loss):
    memory = CrossBatchMemory(loss, memory_size=15, feat_dim=4, start_iter=0)
    queue_feats, queue_pids = torch.zeros(0, 4), torch.zeros(0, dtype=torch.int64)
    for _ in range(4):
        feats, pids = random_batch(generator)
        losses = memory(feats, pids)
        queue_feats = torch.cat([queue_feats, feats.detach()])[-15:]
        queue_pids = torch.cat([queue_pids, pids])[-15:]
        expected = loss(feats, pids, queue_feats, queue_pids)
        torch.testing.assert_close(losses["loss_batch"], loss(feats, pids))
        torch.testing.assert_close(losses["loss_memory"], expected)
        grads = [torch.autograd.grad(v, feats)[0] for v in (losses["loss_memory"], expected)]
        torch.testing.assert_close(*grads)
    assert not memory.memory_feats.requires_grad


def test_starts_after_start_iter_steps(generator):
    memory = CrossBatchMemory(ContrastiveLoss(0.0), 32, 4, start_iter=2)
    fills = []
    for _ in range(4):
        losses = memory(*random_batch(generator))
        fills.append(int(memory.fill))
        assert (losses["loss_memory"] != 0) == (fills[-1] > 0)
        assert losses["loss_memory"].ndim == 0
    assert fills == [0, 0, 6, 12]
    assert memory.steps == 4


def test_resume_continues_exactly(generator):
    first = CrossBatchMemory(ContrastiveLoss(0.0), 10, 4, start_iter=1)
    for _ in range(3):
        first(*random_batch(generator))
    resumed = CrossBatchMemory(ContrastiveLoss(0.0), 10, 4, start_iter=1)
    resumed.load_state_dict(copy.deepcopy(first.state_dict()))
    for _ in range(3):
        feats, pids = random_batch(generator)
        losses, again = first(feats, pids), resumed(feats, pids)
        assert losses["loss_memory"] == again["loss_memory"] != 0
    for name, value in first.state_dict().items():
        assert torch.equal(value, resumed.state_dict()[name]), name


def test_evaluation_neither_counts_nor_stores(generator):
    memory = CrossBatchMemory(ContrastiveLoss(0.0), 32, 4, start_iter=0)
    memory(*random_batch(generator))
    before = copy.deepcopy(memory.state_dict())
    losses = memory.eval()(*random_batch(generator))
    assert losses["loss_memory"] != 0
    for name, value in memory.state_dict().items():
        assert torch.equal(value, before[name]), name


def test_memory_is_float32_under_autocast(generator):
    memory = CrossBatchMemory(ContrastiveLoss(0.0), 32, 4, start_iter=0)
    feats, pids = random_batch(generator)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        losses = memory(feats.detach().bfloat16(), pids)
    assert memory.memory_feats.dtype == torch.float32
    expected = ContrastiveLoss(0.0)(feats.detach().bfloat16().float(), pids)
    assert losses["loss_memory"] == expected == losses["loss_batch"]


def test_gradients_survive_the_next_store(generator):
    """Two micro-batches, backward at the end: the second store must not spoil the first's graph."""
    memory = CrossBatchMemory(ContrastiveLoss(0.0), 12, 4, start_iter=0)
    (first, pids), second = random_batch(generator), random_batch(generator)
    loss = memory(first, pids)["loss_memory"]
    (expected,) = torch.autograd.grad(loss, first, retain_graph=True)
    memory(*second)
    assert torch.equal(torch.autograd.grad(loss, first)[0], expected)


def test_weight_of_the_memory_term(generator):
    feats, pids = random_batch(generator)
    terms = [
        CrossBatchMemory(ContrastiveLoss(0.0), 8, 4, start_iter=0, memory_weight=w)(feats, pids)
        for w in (1.0, 0.25)
    ]
    assert terms[1]["loss_batch"] == terms[0]["loss_batch"]
    torch.testing.assert_close(terms[1]["loss_memory"], terms[0]["loss_memory"] / 4)
    with pytest.raises(ValueError, match="memory_weight=-1 must be at least 0"):
        CrossBatchMemory(ContrastiveLoss(), 8, 4, memory_weight=-1)


def test_batch_without_positive_or_negative_pair_is_defined(generator):
    """One identity in batch and memory, or none twice: 0 from the missing side, never NaN."""
    feats, _ = random_batch(generator)
    for loss in (ContrastiveLoss(0.9), MultiSimilarityLoss(), BatchHardTripletLoss(0.1)):
        for pids in (torch.zeros(6, dtype=torch.int64), torch.arange(6)):
            memory = CrossBatchMemory(loss, 12, 4, start_iter=0)
            for _ in range(2):
                terms = memory(feats, pids)
                total = sum(terms.values())
                assert total.isfinite()
                assert torch.autograd.grad(total, feats)[0].isfinite().all()


def test_built_from_config():
    memory = CrossBatchMemory(dict(type="mmreid_ext.ContrastiveLoss", margin=0.2), 8, 4)
    assert memory.loss.margin == 0.2


def test_errors(generator):
    with pytest.raises(TypeError, match="loss=CenterLoss cannot compare with a memory"):
        CrossBatchMemory(CenterLoss(3, 4), 8, 4)
    with pytest.raises(ValueError, match="wrap='fifo' must be one of"):
        CrossBatchMemory(ContrastiveLoss(), 8, 4, wrap="fifo")
    with pytest.raises(ValueError, match="memory_size=0 must be at least 1"):
        CrossBatchMemory(ContrastiveLoss(), 0, 4)
    memory = CrossBatchMemory(ContrastiveLoss(), 4, 4)
    with pytest.raises(ValueError, match="build CrossBatchMemory with feat_dim=5"):
        memory(torch.randn(2, 5), torch.tensor([0, 1]))
    with pytest.raises(ValueError, match="memory_size=4, but the global batch has 6 rows"):
        memory(*random_batch(generator))
