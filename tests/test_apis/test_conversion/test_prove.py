"""The tool that runs other programs beside ours: what it calls equal, and what it prints."""

import pytest
from helpers.recorded_networks import filling
from helpers.tools import load_tool


@pytest.fixture(scope="module")
def prove():
    assert filling.__name__ == "proofs.filling"  # that helper has put the tool's parts in reach
    return load_tool("converters/prove")


def result(**changes):
    found = dict(name="net", weights=7, guessed=True, double=1e-15, single=4e-6)
    return found | dict(controls={"BGR": 0.3, "no ReLU": 0.02}) | changes


def test_equal_is_what_differs_by_rounding_alone_and_shows_a_wrong_setting(prove):
    assert prove.passed(result())
    assert prove.passed(result(single=6e-5))  # rounding may add up; float64 decides
    assert not prove.passed(result(double=1e-8))
    assert not prove.passed(result(double=float("nan")))
    assert not prove.passed(result(controls={"BGR": 0.3, "no ReLU": 1e-4}))


def test_both_precisions_are_printed(prove):
    found = [result(), result(single=6e-5, guessed=False), result(double=0.1)]
    usual, rounded, wrong = list(prove.lines(found))[2:]
    assert usual == "| net | 7 | 1.0e-15 | 4.0e-06 | BGR 0.3; no ReLU 0.02 | ok |"
    assert rounded.endswith("| ok, needs `--from`, float32 rounds by more than usual |")
    assert "1.0e-01" in wrong and wrong.endswith("| **FAILS** |")
