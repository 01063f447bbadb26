"""Scores of pairs: float64 ones by definition, float32 ones within their tolerance."""

import pytest
import torch
from helpers.ranking_oracle import check_result, dense_scores, oracle, problem
from torch.nn.functional import normalize

from mmreid_ext.evaluation import evaluate_retrieval
from mmreid_ext.evaluation.retrieval.similarity import TIE, FeatureSimilarity, order_rows


@pytest.mark.parametrize("scale", [1e-30, 1e-15, 1e15, 1e30])
@pytest.mark.parametrize("distance", ["cosine", "euclidean"])
def test_scale_of_features_does_not_matter(distance, scale):
    data = problem()
    data[:2] = (x.double() * scale for x in data[:2])
    check_result(
        evaluate_retrieval(*data, distance=distance), oracle(*problem(), distance=distance)[0]
    )
    data[:2] = (x.float() for x in data[:2])  # near the ends of float32
    assert evaluate_retrieval(*data, distance=distance).mAP == pytest.approx(
        evaluate_retrieval(*problem(), distance=distance).mAP, abs=1e-3
    )


def test_zero_vectors_have_similarity_zero():
    query, gallery = torch.zeros(1, 3), torch.eye(3)
    assert evaluate_retrieval(query, gallery, [1], [1, 2, 3]).first_hit.tolist() == [3]


def test_a_match_and_a_negative_far_out_are_ordered_by_their_distance():
    gallery = torch.tensor([[1.0, 0.0], [1e7, 0.0], [2e7, 0.0], [0.0, 3e7]], dtype=torch.float64)
    with pytest.warns(UserWarning, match="gallery_feats"):
        # ten near images, so that the median is a usual length
        near = torch.ones(10, 2)
        result = evaluate_retrieval(
            near[:1],
            torch.cat([gallery, near.double()]),
            [1],
            [2, 2, 1, 2, *[3] * 10],
            distance="euclidean",
        )
    assert result.first_hit[0] == 13  # behind 10 + 2, before the last


def test_ties_of_euclidean_distances_depend_on_no_third_image():
    query = torch.tensor([[0.0, 0.0]])
    gallery = torch.tensor([[1.0, 0.0], [0.0, 1.0 - 1e-7], [50.0, 0.0]], dtype=torch.float64)
    for last in (3, 2):
        result = evaluate_retrieval(
            query, gallery[:last], [1], [2, 1, 2][:last], distance="euclidean"
        )
        assert result.first_hit[0] == 1


@pytest.mark.parametrize("dtype", [torch.float16, torch.float32, torch.float64])
@pytest.mark.parametrize("distance", ["cosine", "euclidean"])
def test_tiles_and_pairs_agree_with_the_definition(distance, dtype):
    query, gallery = (x.to(dtype) for x in problem(queries=9, gallery=40)[:2])
    similarity = FeatureSimilarity(query, gallery, distance)
    expected = torch.from_numpy(dense_scores(query, gallery, distance))
    rows = similarity.rows(torch.arange(9))
    exact = rows.double_tile(0, 40)
    torch.testing.assert_close(exact, expected, rtol=0, atol=1e-14)
    row, col = torch.tensor([0, 8, 3]), torch.tensor([39, 0, 7])
    torch.testing.assert_close(rows.pairs(row, col), expected[row, col], rtol=0, atol=1e-14)
    tile = rows.tile(5, 30)
    assert tile.dtype == torch.float32
    assert (tile.double() - exact[:, 5:30]).abs().max() < rows.tolerance


def test_half_of_the_shifted_cosine_is_the_distance_of_unit_vectors():
    query, gallery = problem(queries=4, gallery=9)[:2]
    similarity = FeatureSimilarity(query, gallery, "unit_euclidean")
    units = [normalize(x.double()) for x in (query, gallery)]
    expected = -torch.cdist(*units).square() / 4
    tile = similarity.double_tile(torch.arange(4), 0, 9)
    torch.testing.assert_close(tile, expected, rtol=0, atol=1e-14)


def test_order_is_that_of_rounded_scores_and_of_columns():
    scores = torch.tensor([[0.5, 0.5 + TIE / 8, 0.9, 0.5 + 4 * TIE]], dtype=torch.float64)
    assert order_rows(scores, 4).tolist() == [[2, 3, 0, 1]]
    assert order_rows(scores, 2).tolist() == [[2, 3]]


def test_ties_have_the_common_shape():
    query, gallery = problem(queries=4, gallery=9)[:2]
    rows, cols = torch.arange(4)[:, None], torch.arange(9)
    assert (FeatureSimilarity(query, gallery, "cosine").ties(rows, cols) == TIE).all()
    similarity = FeatureSimilarity(query, gallery, "euclidean")
    lengths = query.double().norm(dim=1)[:, None] + gallery.double().norm(dim=1)
    expected = TIE * (lengths / similarity.longest).square()
    torch.testing.assert_close(similarity.ties(rows, cols), expected)
