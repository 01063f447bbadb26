"""What tools/test.py makes of its command line."""

import sys

import pytest
from helpers.tools import load_tool
from mmengine.config import Config


def applied(monkeypatch, *arguments, **changes):
    """The configuration after the arguments were laid over it."""
    module = load_tool("test")
    monkeypatch.setattr(sys, "argv", ["test.py", "c.py", "x.pth", *arguments])
    evaluator = dict(type="mmreid_ext.ReIDMetric", rerank=None, save_features="mine.npz")
    cfg = Config(dict(dict(model=dict(), test_evaluator=evaluator), **changes))
    module.apply_arguments(cfg, module.parse_args())
    return cfg


def test_the_configuration_stays_where_nothing_is_said(monkeypatch):
    cfg = applied(monkeypatch)
    evaluator = dict(type="mmreid_ext.ReIDMetric", rerank=None, save_features="mine.npz")
    assert cfg.test_evaluator == evaluator
    assert "flip_test" not in cfg.model


def test_reranked_rows_are_there_by_default(monkeypatch):
    cfg = applied(monkeypatch, test_evaluator=dict(type="mmreid_ext.ReIDMetric"))
    assert cfg.test_evaluator.rerank == "auto"


def test_arguments_override_it(monkeypatch):
    options = ["--rerank", "k1=30", "--aqe", "alpha=3", "--flip", "--save-features", "f.npz"]
    cfg = applied(monkeypatch, *options)
    assert cfg.test_evaluator.rerank == dict(k1=30, k2=6, lambda_value=0.3)
    assert cfg.test_evaluator.query_expansion == dict(num_neighbors=5, alpha=3.0)
    assert cfg.test_evaluator.save_features == "f.npz"
    assert cfg.model.flip_test is True


@pytest.mark.parametrize(
    "option, expected", [("--rerank", dict(k1=20, k2=6, lambda_value=0.3)), ("--no-rerank", None)]
)
def test_rerank_alone_and_its_opposite(monkeypatch, option, expected):
    evaluator = dict(type="mmreid_ext.ReIDMetric", rerank="auto")
    assert applied(monkeypatch, option, test_evaluator=evaluator).test_evaluator.rerank == expected


def test_among_several_evaluators_the_retrieval_metric_is_meant(monkeypatch):
    several = [dict(type="Accuracy"), dict(type="mmreid_ext.ReIDMetric")]
    other, ours = applied(monkeypatch, test_evaluator=several).test_evaluator
    assert other == dict(type="Accuracy")
    assert ours.rerank == "auto"
    _, ours = applied(monkeypatch, "--no-rerank", test_evaluator=several).test_evaluator
    assert ours.rerank is None


def test_without_one_retrieval_metric_nothing_can_be_said_about_it(monkeypatch):
    none, two = [dict(type="Accuracy")], [dict(type="mmreid_ext.ReIDMetric")] * 2
    for several, count in ((none, 0), (two, 2)):
        assert applied(monkeypatch, test_evaluator=several).test_evaluator == several
        with pytest.raises(ValueError, match=f"rerank: .* has {count} of them"):
            applied(monkeypatch, "--rerank", test_evaluator=several)
    with pytest.raises(ValueError, match="--out: .* has 0 of them"):
        applied(monkeypatch, "--out", "a.json", test_evaluator=none)
