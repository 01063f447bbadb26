"""Every setting of an evaluation that can't be used is found before an image is read."""

import inspect

import pytest
from helpers.metric_samples import evaluate, make_set

from mmreid_ext.evaluation import EmbeddingSet, ReIDMetric, evaluate_retrieval, evaluate_set
from mmreid_ext.evaluation.evaluate_sets import evaluate_sets
from mmreid_ext.evaluation.retrieval.re_ranking import k_reciprocal_rerank, rerank_similarity
from mmreid_ext.evaluation.retrieval.settings import RERANK_DEFAULTS
from mmreid_ext.protocols import CameraProtocol
from mmreid_ext.registry import METRICS

WRONG = [
    (dict(rerank=dict(k3=5)), "k1, k2, lambda_value"),
    (dict(rerank="always"), "None, 'auto' or a dict"),
    (dict(rerank=True), "None, 'auto' or a dict"),
    (dict(rerank=dict(k1=0)), "k1=0.*at least 1"),
    (dict(rerank=dict(k1=20.5)), "k1=20.5.*whole"),
    (dict(rerank=dict(k2=True)), "k2=True.*whole"),
    (dict(rerank=dict(lambda_value=1.2)), r"within \[0, 1\]"),
    (dict(rerank=dict(lambda_value=float("nan"))), r"within \[0, 1\]"),
    (dict(rerank=dict(approximate="yes")), "approximate='yes'"),
    (dict(query_expansion=dict(k=3)), "num_neighbors, alpha|'num_neighbors', 'alpha'"),
    (dict(query_expansion=3), "None or a dict"),
    (dict(query_expansion=dict(num_neighbors=0)), "num_neighbors=0"),
    (dict(query_expansion=dict(alpha=-1)), "alpha=-1"),
    (dict(query_expansion={}, distance="euclidean"), "distance='euclidean'"),
    (dict(distance="cosin"), "did you mean 'cosine'.*euclidean"),
    (dict(distance=None), "cosine.*euclidean"),
    (dict(max_rank=0), "max_rank=0"),
    (dict(max_rank=2.5), "max_rank=2.5"),
    (dict(max_rank="50"), "max_rank='50'"),
]
ONLY_METRIC = [
    (dict(protocols="camra"), "did you mean 'camera'.*no_camera"),
    (dict(protocols=dict(people="camra")), "did you mean 'camera'"),
    (dict(protocols=dict(type="camera", ranks=(0,))), "ranks="),
    (dict(protocols=int), "is no protocol"),
    (dict(protocols="self_retrieval", query_expansion={}), "SelfRetrievalProtocol"),
    (dict(protocols="paddleclas", distance="euclidean"), "needs distance='cosine'"),
    (dict(save_features="/dev/null/f.npz"), "save_features=.*can't be written"),
    (dict(reranking="auto"), "no setting 'reranking'.*did you mean 'rerank'"),
    (dict(protocol="camera"), "no setting 'protocol'.*did you mean 'protocols'"),
]


@pytest.mark.parametrize("settings, words", WRONG + ONLY_METRIC, ids=str)
def test_the_metric_refuses_when_built(settings, words):
    with pytest.raises(ValueError, match=words):
        ReIDMetric(**settings)
    with pytest.raises(ValueError, match=words):
        METRICS.build(dict(type="mmreid_ext.ReIDMetric", **settings))


@pytest.mark.parametrize("settings, words", WRONG, ids=str)
def test_evaluate_set_refuses_the_same(settings, words):
    _, metric = evaluate(make_set())
    with pytest.raises(ValueError, match=words):
        evaluate_set(metric.last_embeddings, **settings)


META = dict(test_sets=dict(people=dict(protocol="camera"), shop=dict(protocol="self_retrieval")))


@pytest.mark.parametrize(
    "settings, words",
    [
        (dict(protocols=dict(pepole="no_camera")), "'pepole'.*did you mean 'people'.*'shop'"),
        (dict(query_expansion={}), "SelfRetrievalProtocol"),
    ],
)
def test_names_of_sets_are_compared_as_soon_as_they_are_known(settings, words):
    metric = ReIDMetric(**settings)
    with pytest.raises(ValueError, match=words):
        metric.dataset_meta = META


def test_unknown_sets_are_refused_without_metainfo_too():
    with pytest.raises(ValueError, match="'pepole'.*did you mean 'people'"):
        evaluate(make_set(), protocols=dict(pepole="no_camera"))
    _, metric = evaluate(make_set())
    with pytest.raises(ValueError, match="'pepole'.*did you mean 'people'"):
        evaluate_sets(metric.last_embeddings, {"pepole": "no_camera"})


@pytest.mark.parametrize(
    "protocol", ["no_camera", dict(type="no_camera"), CameraProtocol(use_cameras=False)], ids=str
)
@pytest.mark.parametrize("by_name", [False, True])
def test_right_settings_are_used(protocol, by_name):
    protocols = {"people": protocol} if by_name else protocol
    _, metric = evaluate(make_set(), protocols=protocols, distance="euclidean", max_rank=7)
    result = metric.last_results["people"]
    assert result.protocol["use_cameras"] is False and len(result.plain.cmc) == 20


def test_a_class_may_be_the_protocol_of_all_sets():
    _, metric = evaluate(make_set(), protocols=CameraProtocol)
    assert metric.last_results["people"].protocol["type"] == "CameraProtocol"


@pytest.mark.parametrize(
    "protocol, rerank",
    [
        *[(name, "auto") for name in ("self_retrieval", "in_shop", "single_gallery_shot")],
        *[("camera", rerank) for rerank in (None, "auto")],
    ],
)
@pytest.mark.slow
def test_the_keys_are_known_before(protocol, rerank):
    pytest.importorskip("sklearn")
    meta = dict(test_sets=dict(people=dict(protocol=protocol)))
    metric = ReIDMetric(rerank=rerank)
    metric.dataset_meta = meta
    found, _ = evaluate(make_set(), meta=meta, rerank=rerank)
    assert list(found) == metric.metric_keys() or set(found) == set(metric.metric_keys())


def test_announced_distractors_are_left_out_of_every_protocol():
    samples = make_set()  # identity 3 shall be nobody
    facts = dict(protocol="camera", distractor_pids=[3])
    _, metric = evaluate(samples, meta=dict(test_sets=dict(people=facts)))
    assert metric.last_results["people"].plain.num_valid_queries == 6
    facts = dict(protocol="self_retrieval", distractor_pids=[3])
    _, metric = evaluate(samples, meta=dict(test_sets=dict(people=facts)))
    assert metric.last_results["people"].num_queries == len(samples) * 6 // 7
    assert metric.last_embeddings.distractors.sum() == 4


def test_one_default_of_re_ranking():
    for function in (ReIDMetric, evaluate_set):
        assert inspect.signature(function).parameters["rerank"].default == "auto"
    # of arrays nothing is chosen: one ranking, as asked for
    assert inspect.signature(evaluate_retrieval).parameters["rerank"].default is None


@pytest.mark.parametrize("function", [k_reciprocal_rerank, rerank_similarity])
def test_k1_k2_and_lambda_have_one_default(function):
    parameters = inspect.signature(function).parameters
    assert {key: parameters[key].default for key in RERANK_DEFAULTS} == RERANK_DEFAULTS


def test_an_embedding_set_without_distractors_has_none():
    images = EmbeddingSet([[1.0]], [1], [0], ["query"], ["a"], [""])
    assert images.distractors.tolist() == [False]
