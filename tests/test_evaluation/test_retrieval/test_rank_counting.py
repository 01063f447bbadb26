"""Counts of negatives ahead of each match: float32 decides only what it can."""

import numpy as np
import torch
from helpers.ranking_oracle import check_result, oracle, problem

from mmreid_ext.evaluation import evaluate_retrieval
from mmreid_ext.evaluation.retrieval import rank_counting


def test_float32_rounding_decides_nothing():
    """Negatives a float32 step above and below the match, in 2048 dimensions."""
    generator = torch.Generator().manual_seed(3)
    query = torch.randn(1, 2048, generator=generator, dtype=torch.float64)
    match = query + torch.randn(1, 2048, generator=generator, dtype=torch.float64)
    steps = torch.linspace(-3e-7, 3e-7, 301, dtype=torch.float64)[:, None]
    gallery = torch.cat([match, match + steps * query])
    pids = [1] + [2] * 301
    result = evaluate_retrieval(query, gallery, [1], pids)
    check_result(result, oracle(query, gallery, np.array([1]), np.array(pids))[0])
    assert result.first_hit[0] == 152  # the 150 above, the one equal, then the match


def test_undecided_tiles_are_computed_in_float64(monkeypatch):
    """The way for hopeless tiles gives the same ranks as the ordinary one."""
    data = problem()
    monkeypatch.setattr(rank_counting.RankCounter, "_examine", lambda *args: False)
    check_result(evaluate_retrieval(*data, memory_budget=100_000), oracle(*data)[0])


def test_single_pairs_settle_what_is_undecided(monkeypatch):
    """Scores compared so coarsely that much is undecided: float64 scores of single pairs decide."""
    data = problem(dim=8)
    monkeypatch.setattr("mmreid_ext.evaluation.retrieval.similarity.LITTLE", 0)
    settled = []
    settle = rank_counting.RankCounter._settle

    def counted(self, rows, *fields):
        settled.append(len(rows))
        settle(self, rows, *fields)

    monkeypatch.setattr(rank_counting.RankCounter, "_settle", counted)
    monkeypatch.setattr(rank_counting, "_KEY_ERROR", 1e-3)  # much is undecided
    check_result(evaluate_retrieval(*data), oracle(*data)[0])
    assert sum(settled) > 100
