"""Open-set identification against a loop over queries, and on two ranks against one."""

import numpy as np
import pytest
import torch
from helpers.distributed import run_distributed
from helpers.ranking_oracle import dense_scores, problem

from mmreid_ext.errors import UserError
from mmreid_ext.evaluation.retrieval.verification import evaluate_open_set, open_set

SETTINGS = dict(unknown=0.4, draws=3, seed=5)
TIE = 2.0**-40


def drawn(people, unknown, draws, seed):
    """Who is unknown in each draw."""
    count = round(unknown * len(people))
    for draw in range(draws):
        order = np.random.RandomState([seed, draw]).permutation(len(people))
        yield {people[place] for place in order[:count]}


def loop(query, gallery, qp, gp, qc, gc, **settings):
    scores = dense_scores(query, gallery, "cosine")
    removed = (gp == qp[:, None]) & (gc == qc[:, None])
    match = (gp == qp[:, None]) & ~removed & (gp != -1)
    people = sorted({int(pid) for pid, row in zip(qp, match, strict=True) if row.any()})
    for unknown in drawn(people, **settings):
        enrolled = (gp != -1) & ~np.isin(gp, list(unknown))
        known, strangers = [], []
        for row, pid in enumerate(qp):
            others = scores[row][enrolled & (gp != pid)].max()
            if pid in unknown and match[row].any():
                strangers.append(others)
            elif match[row].any():
                own = scores[row][match[row]].max()
                known.append((own, own > others + TIE))
        yield np.array(known), np.array(strangers)


def expected(fpr, *data):
    rates = []
    for known, strangers in loop(*data, **SETTINGS):
        allowed = int(fpr * len(strangers) + 1e-9)
        kept_out = sorted(strangers, reverse=True)[allowed]
        rates.append(((known[:, 0] > kept_out) & (known[:, 1] == 1)).mean())
    return np.mean(rates)


@pytest.fixture
def data():
    # as wide as to hold a hundred queries of strangers; half of them as far as to be told apart
    query, gallery, *labels = problem(dim=24, queries=900, gallery=900, identities=60, spread=0.7)
    return [query, gallery, *labels]


def test_equals_a_loop_over_queries(data):
    result = evaluate_open_set(*data, settings=SETTINGS)
    assert list(result.dir_at_fpr) == [0.1, 0.01]
    for fpr, rate in result.dir_at_fpr.items():
        assert rate == pytest.approx(expected(fpr, *data), abs=1e-12) and 0 < rate < 1
    counts = [(len(known), len(strangers)) for known, strangers in loop(*data, **SETTINGS)]
    assert (result.num_known, result.num_unknown) == tuple(map(min, zip(*counts, strict=True)))


def test_the_threshold_makes_both_rates(data):
    one = dict(SETTINGS, draws=1)
    result = evaluate_open_set(*data, settings=one)
    ((known, strangers),) = loop(*data, **one)
    for fpr, threshold in result.threshold_at_fpr.items():
        assert (strangers >= threshold).sum() == int(fpr * len(strangers) + 1e-9)
        found = (known[:, 0] >= threshold) & (known[:, 1] == 1)
        assert found.mean() == result.dir_at_fpr[fpr]


def test_ties_never_help():
    """Person 1 looks like person 3, who is enrolled; person 2 like nobody."""
    query, gallery = torch.eye(3)[[0] * 20 + [1] * 20], torch.eye(3)[[0, 0, 1, 2]]
    query_pids, gallery_pids = [1] * 20 + [2] * 20, [1, 3, 2, 9]
    for seed in range(6):
        one = dict(draws=1, seed=seed)
        result = evaluate_open_set(query, gallery, query_pids, gallery_pids, settings=one)
        # Is person 2 the stranger, person 1 is known at a tie; the other way round, all strangers
        # reach the highest similarity there is, so nobody may be accepted.
        assert result.dir_at_fpr[0.1] == 0 and np.isnan(result.dir_at_fpr[0.01])


def test_too_few_strangers_have_no_rate(data):
    few = [x[:60] if i in (0, 2, 4) else x for i, x in enumerate(data)]
    result = evaluate_open_set(*few, settings=SETTINGS)
    assert np.isfinite(result.dir_at_fpr[0.1]) and np.isnan(result.dir_at_fpr[0.01])
    assert np.isnan(result.threshold_at_fpr[0.01]) and 10 <= result.num_unknown < 100


def test_one_person_is_refused():
    with pytest.raises(UserError, match="open_set: 1 people"):
        evaluate_open_set(torch.eye(2), torch.eye(2), [1, 5], [1, 2])


def on_ranks(rank=0, world_size=1):
    open_set._SCORES = 60 * 300  # several blocks, the last one smaller
    arrays = problem(dim=24, queries=250, gallery=300, identities=30, spread=0.7)
    return vars(evaluate_open_set(*arrays, settings=SETTINGS, distributed=world_size > 1))


@pytest.mark.slow
def test_ranks_equal_one_to_the_last_digit(monkeypatch):
    monkeypatch.setattr(open_set, "_SCORES", open_set._SCORES)
    one = on_ranks()
    assert all(repr(rank) == repr(one) for rank in run_distributed(on_ranks, 2, timeout=300))
