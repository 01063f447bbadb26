"""One update of the gates: its derivative, what it leaves alone, scaling and errors."""

import pytest
import torch
from helpers.metabin_oracle import STAGES, Oracle, Rules
from helpers.metabin_problem import OPTIM_WRAPPER, gates_of, make_batch, make_model
from mmengine.optim import build_optim_wrapper

from mmreid_ext.engine import LOSS_SETS, meta_update_gates
from mmreid_ext.engine.metabin.meta_gates import GateUpdate
from mmreid_ext.errors import UserError, UserTypeError

SPLIT = (0, 3)
ALPHA = 0.1


@pytest.fixture(scope="module")
def batch():
    return make_batch(torch.Generator().manual_seed(2))


def update(model, batch, **changes):
    settings = dict(train_domains=SPLIT, inner_lr=ALPHA, gate_lr=0.01) | changes
    return meta_update_gates(model, batch["inputs"], batch["data_samples"], **settings)


def gate_gradient(batch, **changes):
    """Outer gradient, read off a step too small to reach a bound."""
    model = make_model(0.7)
    before = gates_of(model)
    update(model, batch, **changes)
    after = gates_of(model)
    assert ((after > 0) & (after < 1)).all()
    return (before - after) / 0.01


def two_step_objective(oracle, batch, gates):
    """Meta-test loss after the inner step, as a plain function of the gates."""
    train = [i for i, s in enumerate(batch["data_samples"]) if s.domain in SPLIT]
    test = [i for i, s in enumerate(batch["data_samples"]) if s.domain not in SPLIT]
    gates = {name: gate.detach().requires_grad_() for name, gate in gates.items()}
    loss = sum(oracle.losses(batch, train, gates, STAGES["meta_train"], False).values())
    grads = torch.autograd.grad(loss, list(gates.values()))
    stepped = {n: (r - ALPHA * g).detach() for (n, r), g in zip(gates.items(), grads, strict=True)}
    assert all(((r > 0) & (r < 1)).all() for r in stepped.values())
    with torch.no_grad():
        terms = oracle.losses(batch, test, stepped, STAGES["meta_test"], False)
        return sum(terms.values()).item()


@pytest.mark.parametrize("straight_through", [True, False])
def test_second_order_is_the_derivative_of_the_two_step_objective(batch, straight_through):
    gradient = gate_gradient(batch, second_order=True, straight_through=straight_through)
    first_order = gate_gradient(batch)
    oracle = Oracle(make_model(0.7).state_dict(), Rules())
    sizes = [gate.numel() for gate in oracle.gates.values()]
    generator, step = torch.Generator().manual_seed(0), 1e-5
    for _ in range(3):
        direction = torch.randn(len(gradient), generator=generator, dtype=torch.float64)
        moved = [
            {
                name: gate + sign * step * part
                for (name, gate), part in zip(
                    oracle.gates.items(), direction.split(sizes), strict=True
                )
            }
            for sign in (1, -1)
        ]
        ahead, behind = (two_step_objective(oracle, batch, gates) for gates in moved)
        # Differences of 1e-5 leave about 1e-10 of curvature and 1e-11 of rounding.
        slope = (ahead - behind) / (2 * step)
        assert (gradient @ direction).item() == pytest.approx(slope, rel=1e-6, abs=1e-7)
        assert abs((first_order @ direction).item() - slope) > 1e-3


def test_weights_their_gradients_the_optimiser_and_statistics_are_left_alone(batch):
    model = make_model(0.7)
    wrapper = build_optim_wrapper(model, dict(OPTIM_WRAPPER))
    model.train_step(batch, wrapper)
    sum(model.loss_terms(**batch).values()).backward()
    state = {name: value.clone() for name, value in model.state_dict().items()}
    grads = {n: p.grad.clone() for n, p in model.named_parameters() if p.grad is not None}
    momenta = [s["momentum_buffer"].clone() for s in wrapper.optimizer.state.values()]
    trainable = {name: p.requires_grad for name, p in model.named_parameters()}
    update(model, batch)
    moved = {n for n, value in model.state_dict().items() if not torch.equal(value, state[n])}
    assert moved == {n for n in state if n.endswith(".gate")}
    assert len(grads) > 20
    for name, parameter in model.named_parameters():
        assert parameter.requires_grad == trainable[name]
        assert torch.equal(parameter.grad, grads[name]) if name in grads else parameter.grad is None
    for buffer, old in zip(wrapper.optimizer.state.values(), momenta, strict=True):
        assert torch.equal(buffer["momentum_buffer"], old)


def test_outer_step_starts_at_the_original_gates(batch):
    model = make_model(0.7)
    before = gates_of(model)
    update(model, batch, gate_lr=0.0, inner_lr=0.5)
    assert torch.equal(gates_of(model), before)


def test_a_failing_pass_leaves_the_model_as_it_was(batch):
    model = make_model(1.0)
    with pytest.raises(KeyError, match="nonsense"):
        update(model, batch, loss_sets=model_losses(meta_test=("nonsense",)))
    layers = model.bin_layers().values()
    assert all(layer.stepped_gate is None and layer.track_running_stats for layer in layers)
    assert model.head.classifier.weight.requires_grad


def model_losses(**changes):
    return LOSS_SETS["single_source"]._replace(**changes)


@pytest.mark.parametrize("second_order", [False, True])
def test_a_loss_scale_is_divided_out_of_both_gradients(batch, second_order):
    one = gate_gradient(batch, second_order=second_order)
    scaled = gate_gradient(batch, second_order=second_order, loss_scale=2.0**16)
    assert torch.equal(one, scaled)  # a power of two changes no digit


@pytest.mark.parametrize("stage", ["meta_train", "meta_test"])
def test_a_gradient_that_is_not_finite_skips_the_update(batch, stage, monkeypatch):
    model = make_model(0.7)
    before = gates_of(model)
    original, calls = model.loss_terms, []

    def loss_terms(*args):
        calls.append(args)
        terms = original(*args)
        factor = float("inf") if len(calls) == dict(meta_train=1, meta_test=2)[stage] else 1.0
        return {name: term * factor for name, term in terms.items()}

    monkeypatch.setattr(model, "loss_terms", loss_terms)
    assert update(model, batch)["meta_skipped"] == 1
    assert torch.equal(gates_of(model), before)
    assert update(model, batch)["meta_skipped"] == 0
    assert not torch.equal(gates_of(model), before)


def test_a_batch_without_one_side_of_the_split_is_refused():
    narrow = make_batch(torch.Generator().manual_seed(2), num_domains=2)
    with pytest.raises(ValueError, match=r"domains \[0, 1\].* meta-train empty .*DomainPKSampler"):
        update(make_model(1.0), narrow, train_domains=(2, 3))
    with pytest.raises(ValueError, match="meta-test empty"):
        update(make_model(1.0), narrow, train_domains=(0, 1))


@pytest.mark.parametrize(
    ("settings", "kind", "message"),
    [
        (dict(gate_lr=-0.1), UserError, "gate_lr=-0.1, it must be finite and at least 0"),
        (dict(gate_lr="0.1"), UserTypeError, "gate_lr='0.1' must be a number"),
        (dict(gate_lr=0.1, second_order=1), UserTypeError, "second_order=1 must be True or False"),
    ],
)
def test_settings_are_checked_when_an_update_is_made(settings, kind, message):
    with pytest.raises(kind, match=message):
        GateUpdate(**settings)


def test_an_update_can_be_applied_again(batch):
    settings = dict(loss_sets=LOSS_SETS["multi_source"], straight_through=False)
    one, two = make_model(0.7), make_model(0.7)
    apply = GateUpdate(0.05, **settings)
    for split in ((0, 3), (1, 2)):
        apply(one, batch["inputs"], batch["data_samples"], train_domains=split, inner_lr=ALPHA)
        update(two, batch, train_domains=split, gate_lr=0.05, **settings)
    assert torch.equal(gates_of(one), gates_of(two))
    assert not torch.equal(gates_of(one), gates_of(make_model(0.7)))
