import inspect

import pytest

from mmreid_ext.evaluation import ReIDMetric, evaluate_set
from mmreid_ext.evaluation.options import EvaluationOptions
from mmreid_ext.protocols import build_protocol


@pytest.mark.parametrize("function", [ReIDMetric, evaluate_set])
def test_defaults_are_written_once(function):
    parameters = inspect.signature(function).parameters
    defaults = vars(EvaluationOptions())
    assert {name: parameters[name].default for name in defaults} == defaults


@pytest.mark.parametrize(
    "wrong, text",
    [
        (dict(distance="cosin"), "did you mean 'cosine'"),
        (dict(max_rank=0), "max_rank=0"),
        (dict(max_rank=True), "max_rank=True"),
        (dict(rerank="always"), "'auto'"),
        (dict(query_expansion=dict(k=3)), "'k'"),
        (dict(query_expansion={}, distance="euclidean"), "distance='euclidean'"),
        (dict(open_set=dict(draws=0)), "draws=0"),
        (dict(open_set=True, distance="euclidean"), "open_set needs the cosine"),
        (dict(open_set=True, query_expansion={}), "open_set needs the cosine"),
    ],
)
def test_wrong_options_are_refused_when_built(wrong, text):
    with pytest.raises(ValueError, match=text):
        EvaluationOptions(**wrong)


@pytest.mark.parametrize(
    "options, protocol, text",
    [
        (dict(query_expansion={}), "self_retrieval", "SelfRetrievalProtocol"),
        (dict(distance="euclidean"), "paddleclas", "needs distance='cosine'"),
        (dict(open_set=True), "self_retrieval", "one gallery"),
        (dict(open_set={}), "viper", "one gallery"),
    ],
)
def test_options_that_do_not_go_with_a_protocol(options, protocol, text):
    EvaluationOptions().check_protocols([build_protocol(protocol)])
    EvaluationOptions(**options).check_protocols([build_protocol("camera")])
    with pytest.raises(ValueError, match=text):
        EvaluationOptions(**options).check_protocols([build_protocol(protocol)])
