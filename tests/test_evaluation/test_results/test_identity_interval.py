"""Intervals over people and seeds: known cases, and simulations that a wrong method fails."""

import numpy as np
import pytest
from helpers.tools import load_tool

from mmreid_ext.evaluation.results.identity_interval import (
    StandardError,
    identity_error,
    seed_error,
)


@pytest.fixture(scope="module")
def bench():
    return load_tool("benchmarks/comparing")


def test_one_query_per_identity_is_the_usual_standard_error():
    gain = np.random.default_rng(0).normal(size=40)
    found = identity_error(gain, np.arange(40))
    assert found.value == pytest.approx(gain.std(ddof=1) / np.sqrt(40))
    assert found.freedom == pytest.approx(39)
    # t of 39 degrees of freedom is 2.0227
    assert found.margin() == pytest.approx(2.0227 * found.value, rel=1e-4)
    assert found.margin(0.5) < found.margin(0.99)


def test_copies_of_queries_bring_no_certainty():
    gain = np.random.default_rng(0).normal(size=30)
    once = identity_error(gain, np.arange(30))
    often = identity_error(np.repeat(gain, 7), np.repeat(np.arange(30), 7))
    assert (often.value, often.freedom) == (pytest.approx(once.value), pytest.approx(29))


def test_weights_are_numbers_of_queries():
    gain = np.array([1.0, 2.0, 4.0, 8.0])
    person = np.array([0, 1, 2, 2])
    weighted = identity_error(gain, person, np.array([1, 2, 1, 3]))
    repeated = identity_error(np.repeat(gain, [1, 2, 1, 3]), np.repeat(person, [1, 2, 1, 3]))
    assert weighted == repeated
    dropped = identity_error(gain, person, np.array([1, 2, 1, 0]))
    assert dropped == identity_error(gain[:3], person[:3], np.array([1, 2, 1]))


def test_pairing_removes_what_both_sides_share():
    assert identity_error(np.full(300, 0.01), np.arange(300)).margin() == pytest.approx(
        0, abs=1e-12
    )


def test_hits_that_happen_to_agree_are_no_certainty():
    """The rule of three says that 0 of 20 leaves 14 % possible."""
    agree = np.zeros(20)
    assert identity_error(agree, np.arange(20)).margin() == 0
    assert 5 < identity_error(agree, np.arange(20), largest=100.0).margin() < 25


def test_one_identity_and_bad_arguments():
    assert np.isnan(identity_error(np.array([1.0, 2.0]), np.zeros(2)).value)
    with pytest.raises(ValueError, match="2 differences, 3 identities"):
        identity_error(np.zeros(2), np.zeros(3))
    with pytest.raises(ValueError, match="0 differences"):
        identity_error(np.zeros(0), np.zeros(0))


def test_seed_error_is_welchs_or_the_pooled_one():
    a, b = np.array([1.0, 2.0, 3.0]), np.array([4.0, 6.0])
    found = seed_error(a, b)
    assert found.value == pytest.approx(np.sqrt(1 / 3 + 2 / 2))  # pooled: sqrt(4/3 * 5/6)
    assert found.freedom == pytest.approx((4 / 3) ** 2 / ((1 / 3) ** 2 / 2 + 1))
    assert np.isnan(seed_error(a, b[:1]).value)
    many, two = np.arange(10.0) * 2, np.array([5.0, 5.1])
    assert seed_error(many, two).value > np.sqrt(many.var(ddof=1) / 10 + two.var(ddof=1) / 2)
    assert seed_error(np.ones(2), np.ones(2)).margin() == 0


def test_sum_of_errors():
    total = StandardError(3.0, 10) + StandardError(4.0, 2)
    assert total.value == pytest.approx(5)
    assert total.freedom == pytest.approx(625 / (81 / 10 + 256 / 2))
    assert np.isnan((StandardError(3.0, 10) + StandardError(np.nan, 1)).value)


REPEATS = 400
SLACK = 2.58 * 100 * np.sqrt(0.05 * 0.95 / REPEATS)  # 99 % of runs of a right method stay within


@pytest.mark.parametrize("identities", [10, 20, 50, 150])
@pytest.mark.parametrize("share", [0.0, 0.2, 0.5])
def test_interval_covers_the_truth_over_new_identities(bench, identities, share):
    population = bench.Population(identities, share)
    found = list(bench.simulate(population, 1, 0.0, REPEATS))
    coverage = bench.percent(bench.covers, found, "mAP")
    assert 93 - SLACK < coverage < 97 + SLACK
    assert bench.percent(bench.covers, found, "R1") > 93 - SLACK
    for name in ("mAP", "R1"):
        assert bench.percent(bench.called, found, name) < 6 + SLACK


@pytest.mark.parametrize("seeds", [2, 3, 5])
@pytest.mark.parametrize("spread", [0.0, 1.0, 5.0])
def test_equal_methods_are_rarely_called_different(bench, seeds, spread):
    for identities, share in ((10, 0.0), (50, 0.5)):
        found = list(bench.simulate(bench.Population(identities, share), seeds, spread, REPEATS))
        for name in ("mAP", "R1"):
            assert bench.percent(bench.called, found, name) < 6 + SLACK


def test_the_simulation_notices_methods_that_are_wrong(bench, monkeypatch):
    """Queries as if they were people; two standard errors over seeds; either spread alone."""
    from mmreid_ext.evaluation.results import difference

    people, seeds = difference.identity_error, difference.seed_error
    crowd = bench.Population(50, 0.5)
    with monkeypatch.context() as patched:
        patched.setattr(
            difference, "identity_error",
            lambda gain, _, weights, **more: people(gain, np.arange(len(gain)), weights, **more),
        )  # fmt: skip
        found = list(bench.simulate(crowd, 1, 0.0, REPEATS))
        assert bench.percent(bench.covers, found, "mAP") < 93 - SLACK
    with monkeypatch.context() as patched:
        normal = lambda a, b: StandardError(seeds(a, b).value, 1e6)  # noqa: E731
        patched.setattr(difference, "seed_error", normal)
        found = list(bench.simulate(crowd, 2, 5.0, REPEATS))
        assert bench.percent(bench.called, found, "mAP") > 6 + SLACK
    with monkeypatch.context() as patched:
        patched.setattr(difference, "_margin", lambda one, other: max(one.margin(), other.margin()))
        found = list(bench.simulate(bench.Population(150, 0.5), 5, 1.0, 4 * REPEATS))
        assert bench.percent(bench.called, found, "mAP") > 6 + SLACK / 2
