"""Ranking against a dense float64 loop, its rules one by one, and its errors."""

import numpy as np
import pytest
import torch
from helpers.ranking_oracle import oracle
from torch.nn.functional import normalize

from mmreid_ext.evaluation import evaluate_retrieval
from mmreid_ext.evaluation.retrieval import rank_counting


def problem(seed=0, dim=16, queries=60, gallery=700, identities=25, cameras=3, spread=1.0):
    """Clustered features with distractors (0), junk (-1) and identities without a match."""
    rng = np.random.default_rng(seed)
    centres = rng.standard_normal((identities + 1, dim))
    qp = rng.integers(1, identities + 4, queries)  # the last three have no gallery image
    gp = rng.integers(-1, identities + 1, gallery)
    feats = [
        torch.from_numpy(
            centres[np.clip(p, 0, identities)] + spread * rng.standard_normal((len(p), dim))
        )
        for p in (qp, gp)
    ]
    cams = [rng.integers(0, cameras, len(p)) for p in (qp, gp)]
    return [*(f.float() for f in feats), qp, gp, *cams]


def check(result, expected):
    ap, inp, first = expected.T
    np.testing.assert_array_equal(result.first_hit, first)
    # ranks are whole numbers: what is left is the rounding of a mean in float64
    np.testing.assert_allclose(result.ap, ap, rtol=1e-14)
    np.testing.assert_allclose(result.inp, inp, rtol=1e-14)
    valid = ~np.isnan(ap)
    assert result.num_valid_queries == valid.sum()
    assert result.mAP == pytest.approx(ap[valid].mean(), rel=1e-14)
    assert result.mINP == pytest.approx(inp[valid].mean(), rel=1e-14)
    cmc = [(first[valid] <= r).mean() for r in range(1, len(result.cmc) + 1)]
    np.testing.assert_allclose(result.cmc, cmc, rtol=1e-14)


@pytest.mark.parametrize("budget", [None, 300_000, 3_000], ids=["default", "small", "tiny"])
@pytest.mark.parametrize("cameras", [True, False], ids=["cameras", "no-cameras"])
@pytest.mark.parametrize("distance", ["cosine", "euclidean"])
def test_equals_the_dense_loop_to_the_last_query(distance, cameras, budget):
    data = problem()
    data = data if cameras else data[:4]
    result = evaluate_retrieval(*data, distance=distance, memory_budget=budget)
    expected, true, wrong = oracle(*data, distance=distance)
    assert np.isnan(expected[:, 0]).any(), "the problem should hold queries without a match"
    check(result, expected)
    for fpr, tpr in result.tpr_at_fpr.items():
        assert tpr == (true > wrong[int(fpr * len(wrong) + 1e-9)]).mean()


@pytest.mark.parametrize("dim", [1, 2, 3], ids="{}-d".format)
def test_many_near_ties_of_few_dimensions(dim):
    data = problem(dim=dim)
    data[1] = data[1].round(decimals=1)  # in one dimension every cosine is 1 or -1
    check(evaluate_retrieval(*data), oracle(*data)[0])


@pytest.mark.parametrize("budget", [None, 3_000])
def test_ties_never_help_in_any_order(budget):
    """A match that shares its feature with wrong images is ranked behind all of them."""
    query = torch.tensor([[0.3, 0.1, 0.7]])
    same, far = torch.tensor([0.2, 0.4, 0.1]), torch.tensor([-0.3, 0.2, 0.1])
    for order in ([7, 1, 2, 3], [1, 2, 7, 3], [1, 2, 3, 7]):
        gallery = torch.stack([same, same, same, same, far])
        result = evaluate_retrieval(query, gallery, [7], [*order, 5], memory_budget=budget)
        assert result.ap[0] == 1 / 4 and result.first_hit[0] == 4


def test_duplicates_among_much_data_do_not_depend_on_order_or_tiles():
    data = problem(dim=64, queries=40, gallery=900)
    data[1][450:] = data[1][:450]  # the same image under two identities
    first = evaluate_retrieval(*data)
    order = np.random.default_rng(1).permutation(900)
    shuffled = [data[0], data[1][order], data[2], data[3][order], data[4], data[5][order]]
    for budget in (None, 400_000, 20_000):
        for again in (evaluate_retrieval(*x, memory_budget=budget) for x in (data, shuffled)):
            np.testing.assert_array_equal(again.ap, first.ap)
            assert again.mAP == first.mAP and again.tpr_at_fpr == first.tpr_at_fpr


@pytest.mark.parametrize("value", [0.1, 1.0, 3e-20, 3e20])
def test_a_collapsed_model_is_scored_as_the_worst(value):
    """All features equal: everything ties, whatever float32 sums of 300 equal terms say."""
    _, _, qp, gp, _, _ = problem()
    query, gallery = torch.full((60, 300), value), torch.full((700, 300), value)
    result = evaluate_retrieval(query, gallery, qp, gp)
    check(result, oracle(query, gallery, qp, gp, scores=np.ones((60, 700)))[0])
    assert set(result.tpr_at_fpr.values()) == {0.0}


def test_float32_rounding_decides_nothing():
    """Wrong images a float32 step above and below the match, in 2048 dimensions."""
    generator = torch.Generator().manual_seed(3)
    query = torch.randn(1, 2048, generator=generator, dtype=torch.float64)
    match = query + torch.randn(1, 2048, generator=generator, dtype=torch.float64)
    steps = torch.linspace(-3e-7, 3e-7, 301, dtype=torch.float64)[:, None]
    gallery = torch.cat([match, match + steps * query])
    pids = [1] + [2] * 301
    result = evaluate_retrieval(query, gallery, [1], pids)
    check(result, oracle(query, gallery, np.array([1]), np.array(pids))[0])
    assert result.first_hit[0] == 152  # the 150 above, the one equal, then the match


def test_undecided_tiles_are_computed_in_float64(monkeypatch):
    """The way for hopeless tiles gives the same ranks as the ordinary one."""
    data = problem()
    monkeypatch.setattr(rank_counting.RankCounter, "_examine", lambda *args: False)
    check(evaluate_retrieval(*data, memory_budget=100_000), oracle(*data)[0])


def test_hits_at_one_and_three():
    """AP = (1 + 2/3) / 2, mINP = 2/3: plain precision, not the trapezoid."""
    query = torch.tensor([[1.0, 0.0]])
    gallery = torch.tensor([[1.0, 0.0], [1.0, 0.1], [1.0, 0.2], [1.0, 0.3]])
    result = evaluate_retrieval(query, gallery, [1], [1, 2, 1, 3], max_rank=6)
    assert result.mAP == pytest.approx(5 / 6) and result.mINP == pytest.approx(2 / 3)
    assert result.cmc.tolist() == [1.0] * 6


def test_same_identity_same_camera_is_removed_and_ranks_close_up():
    query, gallery = torch.eye(1, 2), torch.tensor([[1.0, 0], [1, 0.1], [1, 0.2]])
    removed = evaluate_retrieval(query, gallery, [1], [1, 2, 1], [0], [0, 0, 1])
    assert removed.first_hit.tolist() == [2]  # without closing up it would be 3
    kept = evaluate_retrieval(query, gallery, [1], [1, 2, 1])
    assert kept.first_hit.tolist() == [1]


def test_junk_is_dropped_and_distractors_stay():
    query, gallery = torch.eye(1, 2), torch.tensor([[1.0, 0], [1, 0.1], [1, 0.2]])
    assert evaluate_retrieval(query, gallery, [1], [-1, 0, 1]).first_hit.tolist() == [2]
    assert evaluate_retrieval(query, gallery, [1], [-1, -1, 1]).first_hit.tolist() == [1]
    assert evaluate_retrieval(query, gallery, [-1], [-1, -1, 1]).num_valid_queries == 0


def test_paddleclas_keeps_the_removed_at_similarity_zero():
    query = torch.tensor([[1.0, 0.0]])
    similarities = [0.9, -0.1, 0.3, -0.5]
    gallery = torch.tensor([[s, (1 - s * s) ** 0.5] for s in similarities])
    cameras = [[0], [0, 1, 1, 1]]
    ours = evaluate_retrieval(query, gallery, [1], [1, 1, 2, 3], *cameras)
    theirs = evaluate_retrieval(query, gallery, [1], [1, 1, 2, 3], *cameras, counting="paddleclas")
    assert (ours.mAP, theirs.mAP) == (1 / 2, 1 / 3)
    data = problem(spread=2.0)
    result = evaluate_retrieval(*data, counting="paddleclas")
    check(result, oracle(*data, keep_junk=True)[0])
    assert result.mAP < evaluate_retrieval(*data).mAP


def test_the_old_name_of_counting_works_and_names_the_new():
    data = problem(spread=2.0)
    with pytest.warns(FutureWarning, match=r"protocol=\) is now called counting=") as caught:
        old = evaluate_retrieval(*data, protocol="paddleclas")
    assert caught[0].filename == __file__, "the warning should point at the caller"
    np.testing.assert_array_equal(old.ap, evaluate_retrieval(*data, counting="paddleclas").ap)
    assert old.mAP != evaluate_retrieval(*data).mAP
    with (
        pytest.warns(FutureWarning, match="counting="),
        pytest.raises(ValueError, match="counting='viper' is unknown"),
    ):
        evaluate_retrieval(*data, protocol="viper")


def test_roc_is_monotone_and_passes_through_the_operating_points():
    data = problem()
    result = evaluate_retrieval(*data)
    fpr, tpr = result.roc
    assert (np.diff(fpr) > 0).all() and (np.diff(tpr) >= 0).all() and tpr[-1] == 1
    _, true, wrong = oracle(*data)
    for x, y in zip(fpr[::20], tpr[::20], strict=True):
        allowed = int(x * len(wrong) + 1e-9)
        expected = 1.0 if allowed >= len(wrong) else (true > wrong[allowed]).mean()
        assert y == pytest.approx(expected, abs=1.01 / len(true))  # one pair may share a bin


@pytest.mark.parametrize("dtype", [torch.float64, torch.float16, torch.bfloat16])
def test_any_float_type_and_numpy_give_the_ranking_of_their_values(dtype):
    data = problem()
    data[:2] = (x.to(dtype) for x in data[:2])
    expected = oracle(*data)[0]
    check(evaluate_retrieval(*data), expected)
    if dtype != torch.bfloat16:
        check(evaluate_retrieval(*(x.numpy() for x in data[:2]), *data[2:]), expected)


@pytest.mark.parametrize("scale", [1e-30, 1e-15, 1e15, 1e30])
@pytest.mark.parametrize("distance", ["cosine", "euclidean"])
def test_scale_of_features_does_not_matter(distance, scale):
    data = problem()
    data[:2] = (x.double() * scale for x in data[:2])
    check(evaluate_retrieval(*data, distance=distance), oracle(*problem(), distance=distance)[0])
    data[:2] = (x.float() for x in data[:2])  # near the ends of float32
    assert evaluate_retrieval(*data, distance=distance).mAP == pytest.approx(
        evaluate_retrieval(*problem(), distance=distance).mAP, abs=1e-3
    )


def test_autocast_and_reduced_products_change_nothing():
    data = problem(dim=256)
    expected = evaluate_retrieval(*data)
    before = torch.get_float32_matmul_precision()
    try:
        torch.set_float32_matmul_precision("medium")
        with torch.autocast("cpu", dtype=torch.bfloat16):
            result = evaluate_retrieval(*data)
        assert torch.get_float32_matmul_precision() == "medium"
    finally:
        torch.set_float32_matmul_precision(before)
    np.testing.assert_array_equal(result.ap, expected.ap)
    assert result.tpr_at_fpr == expected.tpr_at_fpr


def test_zero_vectors_have_similarity_zero():
    query, gallery = torch.zeros(1, 3), torch.eye(3)
    assert evaluate_retrieval(query, gallery, [1], [1, 2, 3]).first_hit.tolist() == [3]


def test_empty_query_gallery_or_matches_give_nan_and_no_warning(recwarn):
    feats, pids = torch.ones(3, 4), [1, 2, 3]
    none, no_pids = torch.ones(0, 4), np.zeros(0, dtype=int)
    for arguments in (
        (none, feats, no_pids, pids),
        (feats, none, pids, no_pids),
        (none, none, [], []),
        (feats, feats, pids, [4, 5, 6]),
        (feats, feats, pids, [-1, -1, -1]),
    ):
        result = evaluate_retrieval(*arguments, max_rank=2)
        assert result.num_valid_queries == 0 and np.isnan(result.mAP) and np.isnan(result.mINP)
        assert np.isnan(result.cmc).all() and result.cmc.shape == (2,)
        assert result.ap.shape == (len(arguments[0]),) and np.isnan(result.ap).all()
        assert all(np.isnan(v) for v in result.tpr_at_fpr.values())
    assert not recwarn


@pytest.mark.parametrize(
    ("change", "error", "message"),
    [
        (
            {0: torch.tensor([[1.0, float("nan")]])},
            ValueError,
            r"query_feats: 1 of 1 rows hold NaN.*first: 0\)",
        ),
        ({1: torch.full((2, 2), float("inf"))}, ValueError, r"gallery_feats: 2 of 2 rows"),
        ({0: torch.ones(1, 3)}, ValueError, "query_feats have 3 dimensions, gallery_feats 2"),
        ({0: torch.ones(2)}, ValueError, r"query_feats must have shape \(N, D\)"),
        ({1: torch.ones(2, 2).int()}, TypeError, "gallery_feats must be a floating.*int32"),
        ({0: [[1.0, 2.0]]}, TypeError, "query_feats must be a floating.*list"),
        ({2: [1, 2]}, ValueError, r"query_pids has shape \(2,\), query_feats has 1 rows"),
        ({3: [1]}, ValueError, r"gallery_pids has shape \(1,\), gallery_feats has 2 rows"),
        ({3: [1.0, 2.0]}, TypeError, "gallery_pids must be integers, got float64"),
        ({4: [0]}, ValueError, "query_camids is given and gallery_camids is not"),
        ({5: [0, 1]}, ValueError, "gallery_camids is given and query_camids is not"),
        ({4: [0], 5: [0]}, ValueError, r"gallery_camids has shape \(1,\)"),
        ({"distance": "l2"}, ValueError, "distance='l2' is unknown.*cosine"),
        ({"counting": "x"}, ValueError, "counting='x' is unknown.*standard"),
        (
            {"counting": "paddleclas", "distance": "euclidean"},
            ValueError,
            "needs distance='cosine'",
        ),
        ({"max_rank": 0}, ValueError, "max_rank=0 must be at least 1"),
        ({"rerank": {"k": 3}}, ValueError, r"unknown entries \['k'\]; use k1, k2"),
        ({"rerank": {"k1": 0}}, ValueError, "k1=0.*at least 1"),
        ({"rerank": {"lambda_value": 1.5}}, ValueError, r"lambda_value within \[0, 1\]"),
        ({"memory_budget": 0}, ValueError, "memory_budget=0 must be a positive number"),
    ],
)
def test_errors_name_value_and_remedy(change, error, message):
    arguments = [torch.ones(1, 2), torch.ones(2, 2), [1], [1, 2], None, None]
    for key, value in change.items():
        if isinstance(key, int):
            arguments[key] = value
    keywords = {k: v for k, v in change.items() if isinstance(k, str)}
    with pytest.raises(error, match=message):
        evaluate_retrieval(*arguments, **keywords)


@pytest.mark.parametrize("side", [0, 1], ids=["query", "gallery"])
@pytest.mark.parametrize("norm", [1e4, 1e7, 1e12])
def test_an_outlier_changes_no_other_rank_and_is_named(side, norm):
    arrays = problem(queries=30, gallery=300)
    feats, pids, camids = [arrays[i + side] for i in (0, 2, 4)]
    plain = evaluate_retrieval(*arrays, distance="euclidean")
    extra = torch.full((1, feats.shape[1]), norm / 4)
    arrays[side] = torch.cat([feats, extra])
    arrays[2 + side], arrays[4 + side] = np.append(pids, 9999), np.append(camids, 0)
    with pytest.warns(UserWarning, match=rf"{name(side)}: 1 of .*first: {len(pids)}\)"):
        found = evaluate_retrieval(*arrays, distance="euclidean")
    np.testing.assert_array_equal(found.ap[:30], plain.ap)
    assert found.mAP == plain.mAP


def name(side):
    return ("query_feats", "gallery_feats")[side]


def test_a_match_and_a_wrong_image_far_out_are_ordered_by_their_distance():
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


def test_queries_without_a_match_take_part_in_no_operating_point():
    query, gallery, qp, gp, qc, gc = problem(queries=80, gallery=300)
    qc[qp < 8], gc[gp < 8] = 0, 0  # the camera rule takes all matches of these
    results = [
        evaluate_retrieval(query, gallery, qp, gp, qc, gc, memory_budget=budget)
        for budget in (3_000, 10_000, 100_000, None)
    ]
    valid = np.isfinite(results[0].ap)
    assert 0 < valid.sum() < np.isin(qp, gp).sum()
    results.append(evaluate_retrieval(query[valid], gallery, qp[valid], gp, qc[valid], gc))
    for result in results:
        assert result.tpr_at_fpr == results[0].tpr_at_fpr
        np.testing.assert_array_equal(result.roc, results[0].roc)


def test_operating_points_of_a_little_set_depend_on_no_tile():
    # 64 dimensions and 200,000 pairs: float32 tiles of several shapes round differently
    arrays = problem(dim=64, queries=100, gallery=2000)
    arrays[0], arrays[1] = normalize(arrays[0]), normalize(arrays[1])
    results = [evaluate_retrieval(*arrays, memory_budget=b) for b in (3_000, 2**20, None)]
    for result in results:
        np.testing.assert_array_equal(result.roc, results[0].roc)


@pytest.mark.parametrize("r", [0, -1, 51, 1.5, float("nan")])
def test_a_rank_that_is_none_is_refused(r):
    result = evaluate_retrieval(torch.eye(2), torch.eye(2), [0, 1], [0, 1])
    assert result.rank(1) == result.rank(50) == 1
    with pytest.raises(ValueError, match=f"r={r}.* from 1 to max_rank=50"):
        result.rank(r)


@pytest.mark.parametrize(
    ("feats", "message"),
    [
        (np.ones((1, 2), np.longdouble), "query_feats must be a floating.*float128"),
        (torch.ones(1, 2).to(torch.float8_e4m3fn), "query_feats must be a floating.*float8"),
        (torch.full((1, 2), 1e200, dtype=torch.float64), "query_feats: 1 of 1 .*norm outside"),
        (torch.full((1, 2), 1e-200, dtype=torch.float64), "query_feats: 1 of 1 .*norm outside"),
    ],
)
def test_numbers_that_the_arithmetic_can_not_hold(feats, message):
    with pytest.raises(ValueError, match=message):
        evaluate_retrieval(feats, torch.ones(1, 2), [1], [1])


def test_labels_beyond_int64_are_refused():
    with pytest.raises(ValueError, match="query_pids has 9223372036854775808, at most"):
        evaluate_retrieval(torch.ones(1, 2), torch.ones(1, 2), np.array([2**63]), [1])
