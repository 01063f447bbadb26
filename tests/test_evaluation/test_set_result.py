import numpy as np
import pytest
from helpers.metric_samples import evaluate, make_set

from mmreid_ext.evaluation.retrieval.verification import OpenSetResult
from mmreid_ext.evaluation.set_result import metric_names
from mmreid_ext.protocols import build_protocol


@pytest.fixture
def result():
    """Five people, the last two of them queries without a match."""
    samples = make_set(identities=5)
    samples = [s for s in samples if s["pid"] < 3 or s["role"] == "query"]
    _, metric = evaluate(samples)
    return metric.last_results["people"]


def test_queries_without_a_match_are_named(result):
    result.pid_names = {4: "zoé"}
    result.no_match_causes = ""
    text = result.unanswerable
    assert text.startswith("2 of 5 queries have no match and are not counted: people/ü")
    assert "(identity 3), people/ü" in text and text.endswith("(identity zoé)")
    result.no_match_causes = "Because."
    assert result.unanswerable == f"{text}. Because."


def test_long_lists_and_unnamed_queries(result):
    result.plain.ap = np.full(9, np.nan)
    result.query_names, result.query_pids = np.full(9, ""), np.arange(9)
    assert "query 0 (identity 0), " in result.unanswerable
    assert "query 4 (identity 4) and 4 more" in result.unanswerable


def test_nothing_is_said_where_all_have_a_match(result):
    result.plain.ap = np.ones(5)
    assert result.unanswerable == ""


@pytest.mark.parametrize("strangers", [True, False])
@pytest.mark.parametrize("reranked", [True, False])
def test_keys_are_named_before(result, reranked, strangers):
    if not reranked:
        result.reranked = None
    if strangers:
        result.open_set = OpenSetResult({0.1: 0.5, 0.01: 0.25}, {}, 30, 20, {})
        assert result.metrics()["open_set/DIR@FPR=1%"] == 25
    names = metric_names(build_protocol("camera"), reranked, strangers)
    assert list(result.metrics()) == names
    assert ("rerank/mAP" in names) == reranked


def test_random_splits_have_deviations_and_self_retrieval_no_reranking():
    assert "rerank/R1_std" in metric_names(build_protocol("viper"), True)
    names = metric_names(build_protocol("self_retrieval"), True)
    assert "MAP@R" in names and not any(name.startswith("rerank/") for name in names)
