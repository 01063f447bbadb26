import pytest

from mmreid_ext.cli.evaluation_options import parse_query_expansion, parse_rerank
from mmreid_ext.evaluation.retrieval.settings import (
    AUTO_RERANK_LIMIT,
    RERANK_DEFAULTS,
    rerank_settings,
)


def test_auto_depends_on_the_size():
    assert rerank_settings("auto", AUTO_RERANK_LIMIT - 1) == RERANK_DEFAULTS
    assert rerank_settings("auto", AUTO_RERANK_LIMIT) is None
    assert rerank_settings(dict(k1=7), AUTO_RERANK_LIMIT) == dict(k1=7, k2=6, lambda_value=0.3)
    assert rerank_settings(None, 1) is None


@pytest.mark.parametrize("wrong", [True, "on", dict(k3=1), 20])
def test_other_settings_are_refused(wrong):
    with pytest.raises(ValueError, match="None, 'auto' or a dict"):
        rerank_settings(wrong, 1)


def test_command_line():
    assert parse_rerank(None) == "auto"
    assert parse_rerank([]) == RERANK_DEFAULTS
    assert parse_rerank(["k1=30", "lambda=0.2"]) == dict(k1=30, k2=6, lambda_value=0.2)
    assert parse_rerank(None, no_rerank=True) is None


@pytest.mark.parametrize("wrong", ["k1", "k1=a", "k9=1", "=", "k1=1.5"])
def test_command_line_mistakes(wrong):
    with pytest.raises(ValueError, match="k1=20 k2=6 lambda=0.3"):
        parse_rerank([wrong])


def test_contradiction():
    with pytest.raises(ValueError, match="exclude"):
        parse_rerank([], no_rerank=True)


def test_query_expansion():
    assert parse_query_expansion(None) is None
    assert parse_query_expansion([]) == dict(num_neighbors=5, alpha=0.0)
    assert parse_query_expansion(["n=7", "alpha=3"]) == dict(num_neighbors=7, alpha=3.0)
    with pytest.raises(ValueError, match="--aqe takes n=5"):
        parse_query_expansion(["k=3"])
