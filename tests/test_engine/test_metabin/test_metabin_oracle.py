"""``metabin_step`` against a slow second implementation, and how far each wrong rule is off."""

import pytest
import torch
from helpers.metabin_oracle import STAGES, Oracle, Rules
from helpers.metabin_problem import OPTIM_WRAPPER, make_batch, make_model
from mmengine.optim import build_optim_wrapper

from mmreid_ext.engine import CyclicRatio, MetaBINTrainLoop

GATE_LR = 0.2
MAIN_LR = [0.01, 0.05, 0.02]
SPLITS = [(0, 3), (1, 2), (0, 1)]
RATIO = dict(low=0.05, high=0.5, period=5)  # large: every rule must show within three iterations
SAME = 1e-9  # float64, sums in another order
DIFFERENT = 1e-4


def triangle(index: int) -> float:
    """The inner ratio by hand: up for two iterations, down for three."""
    return [0.05, 0.275, 0.5, 0.35, 0.2][index % 5]


@pytest.fixture(scope="module")
def batches():
    generator = torch.Generator().manual_seed(1)
    return [(make_batch(generator), make_batch(generator)) for _ in range(3)]


def run_oracle(first_gate: float, batches, rules: Rules):
    oracle = Oracle(make_model(first_gate).state_dict(), rules)
    schedule = zip(batches, SPLITS, MAIN_LR, strict=True)
    logs = [
        oracle.step(base, meta, split, lr, GATE_LR, t, triangle)
        for t, ((base, meta), split, lr) in enumerate(schedule)
    ]
    return oracle.state(), logs


def run_package(first_gate: float, batches, loss_sets, straight_through: bool):
    model = make_model(first_gate)
    wrapper = build_optim_wrapper(model, dict(OPTIM_WRAPPER))
    ratio, logs = CyclicRatio(**RATIO), []
    for t, ((base, meta), split, lr) in enumerate(zip(batches, SPLITS, MAIN_LR, strict=True)):
        for group, factor in zip(wrapper.optimizer.param_groups, (1, 2), strict=True):
            group["lr"] = lr * factor
        log = MetaBINTrainLoop.metabin_step(
            model,
            base,
            meta,
            optim_wrapper=wrapper,
            train_domains=split,
            inner_lr=GATE_LR * ratio(t),
            gate_lr=GATE_LR,
            loss_sets=loss_sets,
            straight_through=straight_through,
        )
        logs.append({name: value.item() for name, value in log.items()})
    return model.state_dict(), logs


def difference(a: dict, b: dict, ending: str = "") -> float:
    """Largest difference of any weight, gate or statistic whose name ends so."""
    assert a.keys() == b.keys()
    names = [n for n in a if n.endswith(ending)]
    return max((a[n].double() - b[n].double()).abs().max().item() for n in names)


LOSS_SETS = {
    "single_source": STAGES,
    "multi_source": dict(
        base=("ce", "triplet"), meta_train=("shuffle", "triplet", "scatter"), meta_test=("triplet",)
    ),
    "paddleclas": STAGES,
}


@pytest.mark.parametrize("first_gate", [1.0, 0.7])
@pytest.mark.parametrize(
    ("loss_sets", "clamp"),
    [
        ("single_source", "straight_through"),
        ("multi_source", "straight_through"),
        ("paddleclas", "strict"),
    ],
)
def test_three_iterations_equal_the_oracle(batches, first_gate, loss_sets, clamp):
    rules = Rules(clamp_gradient=clamp, stages=LOSS_SETS[loss_sets])
    expected, expected_logs = run_oracle(first_gate, batches, rules)
    state, logs = run_package(first_gate, batches, loss_sets, clamp == "straight_through")
    gates = torch.cat([v for n, v in state.items() if n.endswith(".gate")])
    assert (gates < 1).any()
    assert difference(state, expected) < SAME
    for log, expected_log in zip(logs, expected_logs, strict=True):
        assert {n for n in log if "loss_" in n} == set(expected_log)
        for name, value in expected_log.items():
            assert log[name] == pytest.approx(value, abs=SAME)


WRONG = {
    "strict clamp gradient": dict(clamp_gradient="strict"),
    "no inner step": dict(inner_step=False),
    "outer step from the inner gate": dict(outer_from="inner"),
    "biases at the common rate": dict(bias_lr_mult=1.0),
    "no momentum": dict(momentum=0.0),
    "cyclic ratio from index 0": dict(first_index=0),
    "smoothing of the strong baseline": dict(smoothing="all"),
    "meta passes train the weights": dict(meta_moves_weights=True),
    "base step trains the gates": dict(base_moves_gates=True),
    "weight decay on the gates": dict(gate_decay=5e-3),
    "no cross-entropy in meta-train": dict(
        stages=dict(STAGES, meta_train=("shuffle", "triplet", "scatter"))
    ),
    "no scatter loss": dict(stages=dict(STAGES, meta_train=("ce", "shuffle", "triplet"))),
    "no shuffle loss": dict(stages=dict(STAGES, meta_train=("ce", "triplet", "scatter"))),
}


@pytest.fixture(scope="module")
def right(batches):
    return run_oracle(1.0, batches, Rules())[0]


@pytest.mark.parametrize("name", WRONG)
def test_a_wrong_rule_moves_the_gates(batches, right, name):
    wrong, _ = run_oracle(1.0, batches, Rules(**WRONG[name]))
    assert difference(right, wrong, ".gate") > DIFFERENT


def test_statistics_moved_by_meta_passes_show_only_in_the_running_values(batches, right):
    wrong, _ = run_oracle(1.0, batches, Rules(meta_moves_statistics=True))
    assert difference(right, wrong, ".gate") < SAME
    assert difference(right, wrong, "weight") < SAME
    assert difference(right, wrong, ".running_mean") > DIFFERENT
