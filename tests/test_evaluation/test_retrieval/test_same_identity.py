"""Pairs of one identity, by the index of the sorted gallery, against a plain loop."""

import numpy as np
import pytest
import torch

from mmreid_ext.evaluation.retrieval.inputs import RetrievalInputs
from mmreid_ext.evaluation.retrieval.same_identity import IdentityIndex


def labels(cameras):
    rng = np.random.default_rng(0)
    columns = [rng.integers(0, 7, 12), rng.integers(2, 9, 40)]
    columns += [rng.integers(-1, 3, 12), rng.integers(-1, 3, 40)] if cameras else [None, None]
    return RetrievalInputs.check(torch.ones(12, 1), torch.ones(40, 1), *columns)


@pytest.mark.parametrize("cameras", [True, False])
def test_pairs_are_those_of_a_loop(cameras):
    inputs = labels(cameras)
    chunk = torch.tensor([5, 0, 11, 3])
    found = IdentityIndex(inputs).pairs(chunk)
    expected = []
    for row, query in enumerate(chunk.tolist()):
        for col in range(40):
            if inputs.query_pids[query] == inputs.gallery_pids[col]:
                counts = True
                if cameras:
                    one, other = inputs.query_camids[query], inputs.gallery_camids[col]
                    counts = bool(one >= 0 and other >= 0 and one != other)
                expected.append((row, col, counts))
    pairs = zip(*(x.tolist() for x in (found.rows, found.cols, found.counts)), strict=True)
    assert sorted(pairs) == expected and len(expected) > 3
    assert found.rows.tolist() == sorted(found.rows.tolist()), "ordered by row"


def test_chunks_hold_each_known_query_once_and_keep_identities_together():
    inputs = labels(cameras=False)
    chunks = IdentityIndex(inputs).chunks(3)
    assert max(map(len, chunks)) == 3
    queries = torch.cat(chunks)
    known = np.isin(inputs.query_pids, inputs.gallery_pids)
    assert sorted(queries.tolist()) == np.flatnonzero(known).tolist() and not known.all()
    pids = inputs.query_pids[queries]
    assert (pids.diff() >= 0).all()


@pytest.mark.parametrize(
    ("queries", "rows", "parts"),
    [(511, 1024, 1), (2047, 1024, 4), (2048, 1024, 8), (11659, 1024, 16), (9, 4, 3)],
)
def test_many_queries_are_dealt_out_evenly_to_up_to_eight_ranks(queries, rows, parts):
    pids = np.arange(queries) % 5
    inputs = RetrievalInputs.check(
        torch.ones(queries, 1), torch.ones(5, 1), pids, np.arange(5), None, None
    )
    lengths = list(map(len, IdentityIndex(inputs).chunks(rows)))
    assert len(lengths) == parts and sum(lengths) == queries
    assert max(lengths) <= rows and max(lengths) - min(lengths) <= 1


def test_nothing_known_gives_no_chunk():
    inputs = RetrievalInputs.check(torch.ones(2, 1), torch.ones(1, 1), [1, 2], [3], None, None)
    assert IdentityIndex(inputs).chunks(5) == []
