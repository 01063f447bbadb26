"""Inner ratio, domain splits and the learning rates of the official schedules."""

from collections import Counter
from itertools import combinations

import pytest
import torch
from helpers.paths import CONFIGS
from mmengine.config import Config
from mmengine.optim import build_optim_wrapper
from mmengine.registry import PARAM_SCHEDULERS

from mmreid_ext.engine import CyclicRatio, split_domains

SCHEDULES = CONFIGS / "_base_" / "schedules"
PUBLISHED = 5e-9  # the published values have eight decimals


@pytest.mark.parametrize(
    ("index", "ratio"),
    [
        (1, 0.00127348),
        (2, 0.00154696),
        (362, 0.1),
        (363, 0.09972727),
        (724, 0.00127273),
        (725, 0.001),
    ],
)
def test_official_ratio_is_advanced_before_use(index, ratio):
    assert CyclicRatio()(index - 1) == pytest.approx(ratio, abs=PUBLISHED)
    assert CyclicRatio()(index - 1 + 3 * 725) == CyclicRatio()(index - 1)


@pytest.mark.parametrize(("index", "ratio"), [(1, 0.00109041), (1095, 0.1), (2190, 0.001)])
def test_ratio_of_paddleclas(index, ratio):
    assert CyclicRatio(period=2190)(index - 1) == pytest.approx(ratio, abs=PUBLISHED)


@pytest.mark.parametrize("period", [2, 3, 7, 10])
def test_ratio_equals_the_cyclic_schedule_of_pytorch(period):
    optimizer = torch.optim.SGD([torch.zeros(1)], lr=1.0)
    up = period // 2
    cyclic = torch.optim.lr_scheduler.CyclicLR(
        optimizer, 0.001, 0.1, step_size_up=up, step_size_down=period - up, cycle_momentum=False
    )
    ratio = CyclicRatio(period=period)
    for iteration in range(3 * period):
        optimizer.step()
        cyclic.step()
        # PyTorch accumulates rounding in its floating-point position within the cycle.
        assert ratio(iteration) == pytest.approx(optimizer.param_groups[0]["lr"], abs=1e-12)


@pytest.mark.parametrize(
    "wrong", [dict(period=1), dict(period=10**400), dict(low=0.2, high=0.1), dict(low=-0.1)]
)
def test_impossible_ratio_is_refused(wrong):
    with pytest.raises(ValueError, match="period >= 2 and 0 <= low <= high"):
        CyclicRatio(**wrong)


def test_split_is_a_function_of_seed_and_iteration_alone():
    expected = [split_domains(3, t, 6, 3) for t in range(20)]
    torch.manual_seed(99)
    assert [split_domains(3, t, 6, 3) for t in reversed(range(20))] == expected[::-1]
    assert expected != [split_domains(4, t, 6, 3) for t in range(20)]
    for split in expected:
        assert len(set(split)) == 3
        assert set(split) <= set(range(6))


def test_every_split_is_equally_likely():
    draws = 4000
    counts = Counter(split_domains(0, t, 5, 3) for t in range(draws))
    subsets = list(combinations(range(5), 3))
    assert set(counts) == set(subsets)
    expected = draws / len(subsets)
    chi_square = sum((counts[s] - expected) ** 2 / expected for s in subsets)
    assert chi_square < 27.9  # exceeded once in a thousand seeds with 9 degrees of freedom


@pytest.mark.parametrize("num_train", [-1, 0, 4, 5])
def test_split_needs_both_sides(num_train):
    with pytest.raises(ValueError, match=f"num_train_domains={num_train} must be at least 1 .* 4"):
        split_domains(0, 0, 4, num_train)


def learning_rates(schedule: str, steps: int, **changes) -> list[list[float]]:
    """Rates of weights and of biases at each iteration, by a real optimiser and real schedulers."""
    cfg = Config.fromfile(SCHEDULES / schedule)
    cfg.merge_from_dict(changes)
    model = torch.nn.Linear(1, 1)
    wrapper = build_optim_wrapper(model, cfg.optim_wrapper)
    schedulers = [
        PARAM_SCHEDULERS.build(s, default_args=dict(optimizer=wrapper)) for s in cfg.param_scheduler
    ]
    rates = []
    for _ in range(steps):
        rates.append([group["lr"] for group in wrapper.optimizer.param_groups])
        wrapper.step()
        for scheduler in schedulers:
            scheduler.step()
    return rates


# Iteration: rate, official and by PaddleClas (algorithm notes of the official code, E = 145).
OFFICIAL = {0: 1e-4, 725: 5.05e-3, 1450: 1e-2, 7249: 1e-2, 7250: 1e-3, 13049: 1e-3, 13050: 1e-4}
PADDLECLAS = {1450: 1e-2, 7250: 1e-2, 8699: 1e-2, 8700: 1e-3, 13050: 1e-3, 14500: 1e-4}


@pytest.mark.parametrize(
    ("changes", "expected"),
    [({}, OFFICIAL), ({"param_scheduler.1.milestones": [8700, 14500]}, PADDLECLAS)],
    ids=["official", "paddleclas"],
)
def test_learning_rates_of_market(changes, expected):
    rates = learning_rates("metabin_market.py", max(expected) + 1, **changes)
    for iteration, rate in expected.items():
        assert rates[iteration] == pytest.approx([rate, 2 * rate], rel=1e-12)
    warm = [1e-2 * (0.01 + 0.99 * t / 1450) for t in range(1450)]
    assert [weights for weights, _ in rates[:1450]] == pytest.approx(warm, rel=1e-12)
    assert rates[1449][0] == pytest.approx(9.9932e-3, abs=5e-8)


def test_schedule_of_several_sources_is_that_of_one_with_other_epochs():
    market, several = (Config.fromfile(SCHEDULES / f"metabin_{n}.py") for n in ("market", "dg"))
    assert several.optim_wrapper == market.optim_wrapper
    warm_up, decay = several.param_scheduler
    assert warm_up == dict(market.param_scheduler[0], end=10 * 1834 + 1)
    assert decay == dict(market.param_scheduler[1], milestones=[40 * 1834, 70 * 1834])


@pytest.mark.parametrize(
    ("schedule", "length", "period"), [("market", 17400, 725), ("dg", 183400, 9170)]
)
def test_lengths(schedule, length, period):
    cfg = Config.fromfile(SCHEDULES / f"metabin_{schedule}.py")
    assert cfg.max_iters == length
    assert CyclicRatio(**cfg.inner_ratio).period == period
