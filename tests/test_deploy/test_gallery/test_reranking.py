"""Re-ranking of one query's candidates equals the evaluator's."""

import numpy as np
import pytest
from helpers.galleries import MODEL, expected, vectors

from mmreid_ext.deploy.gallery import Gallery, RerankOptions
from mmreid_ext.deploy.gallery.reranking import reranked_distances
from mmreid_ext.errors import UserError
from mmreid_ext.evaluation.retrieval.re_ranking.k_reciprocal import k_reciprocal_rerank

OPTIONS = [
    RerankOptions(),
    RerankOptions(k1=1, k2=1, lambda_value=0.0),
    RerankOptions(k1=7, k2=3, lambda_value=0.5),
    RerankOptions(k1=5, k2=500, lambda_value=1.0),
    RerankOptions(k1=300, k2=2),
]


@pytest.mark.parametrize("options", OPTIONS)
@pytest.mark.parametrize("count", [1, 2, 30, 101])
def test_equals_the_evaluator(options, count):
    for seed in range(4):
        candidates = vectors(count, seed=seed, people=7).astype(np.float16)
        if count > 20:
            candidates[10:14] = candidates[3]  # ties
        query = vectors(1, seed=seed + 50, people=7)
        wanted = k_reciprocal_rerank(
            query,
            candidates.astype(np.float32),
            options.k1,
            options.k2,
            options.lambda_value,
        ).numpy()[0]
        assert np.abs(reranked_distances(query[0], candidates, options) - wanted).max() < 1e-5


def test_order_changes_and_similarity_stays(tmp_path):
    rows, query = vectors(200), vectors(3, seed=4)
    options = RerankOptions(n=60, k1=10)
    with Gallery(tmp_path / "a.db", MODEL) as gallery:
        gallery.add(rows)
        plain = gallery.search(query, 60)
        again = gallery.search(query, 20, rerank=options)
        stored = gallery.embeddings(range(1, 201))
    changed = 0
    for row in range(3):
        ids = [hit.id for hit in plain[row]]
        similarity = {hit.id: hit.similarity for hit in plain[row]}
        scores = 1 - reranked_distances(query[row], stored[np.array(ids) - 1], options)
        order = np.argsort(-scores, kind="stable")[:20]
        assert [hit.id for hit in again[row]] == [ids[place] for place in order]
        assert [hit.score for hit in again[row]] == [scores[place] for place in order]
        assert all(hit.similarity == similarity[hit.id] for hit in again[row])
        changed += [hit.id for hit in again[row]] != ids[:20]
    assert changed


def test_as_many_as_are_asked_for(tmp_path):
    with Gallery(tmp_path / "a.db", MODEL) as gallery:
        assert gallery.search(vectors(2), rerank=RerankOptions()) == [[], []]
        gallery.add(vectors(30))
        assert len(gallery.search(vectors(1), 25, rerank=RerankOptions(n=5))[0]) == 25
        stored = gallery.embeddings(range(1, 31))
        nearest = expected(vectors(1), stored, range(1, 31), np.ones((1, 30), bool), 5)[0]
        five = gallery.search(vectors(1), 5, rerank=RerankOptions(n=5))[0]
        assert {hit.id for hit in five} == {id for id, _ in nearest}


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (dict(n=0), "n=0"),
        (dict(k1=1.5), "k1=1.5"),
        (dict(k2=True), "k2=True"),
        (dict(lambda_value=1.1), "lambda_value=1.1"),
    ],
)
def test_wrong_settings(tmp_path, options, message):
    with Gallery(tmp_path / "a.db", MODEL) as gallery, pytest.raises(UserError, match=message):
        gallery.search(vectors(1), rerank=RerankOptions(**options))


@pytest.mark.parametrize("count", [1, 7])
def test_copies_of_the_query_have_distance_zero(count):
    """Their squared distances are rounding errors, which mustn't be scaled to 1."""
    vector = np.array([0.3, -1.7, 2.2])
    found = reranked_distances(vector, np.tile(vector, (count, 1)), RerankOptions(lambda_value=1.0))
    wanted = k_reciprocal_rerank(vector[None], np.tile(vector, (count, 1)), lambda_value=1.0)
    np.testing.assert_array_equal(found, np.zeros(count))
    np.testing.assert_array_equal(wanted.numpy()[0], np.zeros(count))
