"""The options that say how to evaluate: one declaration, one reading, no PyTorch."""

import subprocess
import sys
from argparse import ArgumentParser
from pathlib import Path

import pytest

from mmreid_ext.cli import evaluation_options as options
from mmreid_ext.cli.evaluation_options import (
    chosen_protocols,
    given_options,
    parse_query_expansion,
    parse_rerank,
)
from mmreid_ext.evaluation.retrieval.settings import RERANK_DEFAULTS

TOOLS = Path(__file__).parents[2] / "tools"


def parsed(*arguments):
    parser = ArgumentParser()
    options.add_rerank_arguments(parser)
    options.add_expansion_argument(parser)
    options.add_distance_argument(parser, "cosine")
    options.add_protocol_argument(parser, "saved")
    options.add_out_argument(parser, "all metrics")
    return parser.parse_args(arguments)


def test_nothing_given_says_nothing():
    assert given_options(parsed()) == {}
    assert parsed().protocol == [] and parsed().out is None


def test_what_is_given_becomes_arguments_of_an_evaluation():
    words = ["--rerank", "k1=30", "--aqe", "n=7", "--distance", "cosine"]
    assert given_options(parsed(*words)) == dict(
        rerank=dict(k1=30, k2=6, lambda_value=0.3),
        query_expansion=dict(num_neighbors=7, alpha=0.0),
        distance="cosine",
    )
    assert given_options(parsed("--no-rerank")) == dict(rerank=None)


def test_a_tool_may_lack_some_of_them():
    parser = ArgumentParser()
    options.add_rerank_arguments(parser)
    assert given_options(parser.parse_args(["--rerank"])) == dict(rerank=RERANK_DEFAULTS)


def test_rerank():
    assert parse_rerank(None) == "auto"
    assert parse_rerank([]) == RERANK_DEFAULTS
    assert parse_rerank(["k1=30", "lambda=0.2"]) == dict(k1=30, k2=6, lambda_value=0.2)
    assert parse_rerank(["approximate=1"])["approximate"] is True
    assert parse_rerank(None, no_rerank=True) is None


@pytest.mark.parametrize("wrong", ["k1", "k1=a", "k9=1", "=", "k1=1.5"])
def test_mistakes_name_the_defaults(wrong):
    with pytest.raises(ValueError, match="k1=20 k2=6 lambda=0.3"):
        parse_rerank([wrong])


def test_contradiction():
    with pytest.raises(ValueError, match="exclude"):
        parse_rerank([], no_rerank=True)


def test_query_expansion():
    assert parse_query_expansion(None) is None
    assert parse_query_expansion([]) == dict(num_neighbors=5, alpha=0.0)
    assert parse_query_expansion(["n=7", "alpha=3"]) == dict(num_neighbors=7, alpha=3.0)
    with pytest.raises(ValueError, match="--aqe takes n=5 alpha=0"):
        parse_query_expansion(["k=3"])


@pytest.mark.parametrize(
    "given, protocols",
    [
        ([], {"a": "camera"}),
        (["b=sop"], {"a": "camera", "b": "sop"}),
        (["a=sop"], {"a": "sop"}),
        (["sop"], {None: "sop"}),
        (["b=sop", "no_camera", "a=viper"], {None: "no_camera", "a": "viper"}),
        (['a={"type": "camera", "ranks": [2]}'], {"a": dict(type="camera", ranks=[2])}),
        (['{"type": "=x"}'], {None: dict(type="=x")}),
    ],
)  # fmt: skip
def test_protocols(given, protocols):
    assert chosen_protocols(given, {"a": "camera"}) == protocols


def test_broken_json_is_shown():
    with pytest.raises(ValueError, match=r"--protocol a=\{x: '\{x' is no JSON"):
        chosen_protocols(["a={x"])


def test_every_tool_says_the_same():
    """The words of an option are found in the help of each tool that has it."""
    texts = {}
    for tool in ("evaluate", "test", "visualize_ranks"):
        command = [sys.executable, str(TOOLS / f"{tool}.py"), "--help"]
        texts[tool] = " ".join(
            subprocess.run(command, capture_output=True, text=True).stdout.split()
        )
    assert all("(k1=20 k2=6 lambda=0.3), which is on by default" in text for text in texts.values())
    assert "(n=5 alpha=0)" in texts["test"] and "(n=5 alpha=0)" in texts["evaluate"]
    assert "--aqe" not in texts["visualize_ranks"], "pictures show plain queries"
