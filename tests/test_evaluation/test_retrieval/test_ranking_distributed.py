"""Two gloo processes give what one gives, to the last digit."""

import numpy as np
import pytest
import torch
from helpers.distributed import run_distributed

from mmreid_ext.errors import RankLostError
from mmreid_ext.evaluation import evaluate_retrieval, expand_queries, k_reciprocal_rerank
from mmreid_ext.evaluation.retrieval.rank_counting import RankCounter

BUDGET = 120_000  # several chunks and tiles, so that both ranks have work


def data():
    rng = np.random.default_rng(5)
    centres = rng.standard_normal((20, 24))
    pids, cams = rng.integers(0, 20, 230), rng.integers(0, 3, 230)
    pids[:3] = 99  # queries without a match
    feats = centres[pids % 20] + 0.9 * rng.standard_normal((230, 24))
    feats = torch.from_numpy(feats).float()
    feats[200:] = feats[100:130]
    return feats[:41], feats[41:], pids[:41], pids[41:], cams[:41], cams[41:]


def scores(result):
    fields = (result.cmc, result.ap, result.inp, result.first_hit, result.roc)
    points = (*result.tpr_at_fpr.values(), *result.threshold_at_fpr.values(), result.num_negatives)
    return [torch.from_numpy(x) for x in fields] + [
        torch.tensor([result.mAP, result.mINP, *points], dtype=torch.float64)
    ]


def evaluate(rank=0, world_size=1):
    shares = []
    common = {"memory_budget": BUDGET, "distributed": world_size > 1}
    plain = evaluate_retrieval(*data(), **common, progress=lambda *c: shares.append(c[2]))
    again = evaluate_retrieval(*data(), rerank={"k1": 7, "k2": 3}, **common)
    distances = k_reciprocal_rerank(*data()[:2], k1=7, k2=3, **common)
    return {"scores": [*scores(plain), *scores(again), distances], "chunks": shares[-1]}


@pytest.fixture(scope="module")
def one():
    return evaluate()


@pytest.mark.slow
def test_two_ranks_equal_one_to_the_last_digit(one):
    ranks = run_distributed(evaluate, 2, timeout=300)
    assert one["chunks"] == sum(r["chunks"] for r in ranks) and min(r["chunks"] for r in ranks) > 0
    for rank in ranks:
        for got, expected in zip(rank["scores"], one["scores"], strict=True):
            torch.testing.assert_close(got, expected, rtol=0, atol=0, equal_nan=True)


def alone(rank, world_size):
    """One query for three ranks: two of them have nothing to rank."""
    query, gallery, qp, gp, qc, gc = data()
    result = evaluate_retrieval(query[5:6], gallery, qp[5:6], gp, qc[5:6], gc, distributed=True)
    return scores(result)


def test_ranks_without_queries():
    query, gallery, qp, gp, qc, gc = data()
    expected = scores(evaluate_retrieval(query[5:6], gallery, qp[5:6], gp, qc[5:6], gc))
    for rank in run_distributed(alone, 3, timeout=300):
        torch.testing.assert_close(rank, expected, rtol=0, atol=0, equal_nan=True)


def few(rank=0, world_size=1):
    """Fewer images than ranks, so that a rank has no row to search, encode or expand."""
    query, gallery, qp, gp, qc, gc = data()
    common = {"distributed": world_size > 1}
    near = {"rerank": {"k1": 2, "k2": 2}, **common}
    one = evaluate_retrieval(query[5:6], gallery[:1], qp[5:6], qp[5:6], **near)
    expanded = expand_queries(query[:1], gallery, num_neighbors=2, **common)
    distances = k_reciprocal_rerank(query[:1], gallery[:1], k1=2, k2=2, **common)
    return [*scores(one), expanded, distances]


def test_ranks_without_images():
    for rank in run_distributed(few, 3, timeout=300):
        torch.testing.assert_close(rank, few(), rtol=0, atol=0, equal_nan=True)


def expand(rank=0, world_size=1):
    query, gallery, *_ = data()
    with_blocks = {"memory_budget": BUDGET, "distributed": world_size > 1}
    return expand_queries(query, gallery, num_neighbors=3, alpha=2.0, **with_blocks)


def test_ranks_share_the_expansion_of_queries():
    for rank in run_distributed(expand, 2, timeout=300):
        assert torch.equal(rank, expand())


def one_fails(rank, world_size):
    """The second rank fails within its share: what each rank is told."""
    if rank == 1:
        RankCounter.count = lambda *args: 1 / 0
    try:
        evaluate_retrieval(*data(), memory_budget=BUDGET, distributed=True)
    except (ZeroDivisionError, RankLostError) as error:
        return f"{type(error).__name__}: {error}"


def test_a_rank_that_fails_at_its_share_ends_the_others():
    zero, one = run_distributed(one_fails, 2, timeout=60)
    assert one == "ZeroDivisionError: division by zero"
    assert zero.startswith(f"RankLostError: ranking: rank 1 failed with {one};")
