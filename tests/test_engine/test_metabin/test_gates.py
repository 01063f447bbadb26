"""Which gates move, how they are clamped, and which one is named when it can't."""

import pytest
import torch
from helpers.metabin_problem import gates_of, make_model

from mmreid_ext.engine.metabin.gates import (
    clamp_gate,
    frozen,
    movable_layers,
    require_movable_layers,
    stepped_gates,
    stop_for_gate,
)
from mmreid_ext.errors import DivergenceError, UserError


@pytest.fixture
def model():
    return make_model(0.7)


def test_gradient_of_the_inner_clamp():
    # Inner step 0.02 from 1: gradients 0.5, -0.5 and 0 give 0.99, 1 (clipped) and 1 (on the bound).
    gate = torch.ones(3, dtype=torch.float64, requires_grad=True)
    grad = torch.tensor([0.5, -0.5, 0.0], dtype=torch.float64)
    for straight_through, expected in ((True, [1.0, 1.0, 1.0]), (False, [1.0, 0.0, 0.0])):
        stepped = clamp_gate(gate - 0.02 * grad, straight_through)
        assert stepped.tolist() == pytest.approx([0.99, 1.0, 1.0], abs=1e-15)
        (got,) = torch.autograd.grad(stepped.sum(), gate)
        assert got.tolist() == expected
    below = clamp_gate(torch.tensor([-0.3, 0.0, 0.4], requires_grad=True), False)
    assert below.tolist() == pytest.approx([0.0, 0.0, 0.4])


def test_gates_of_frozen_layers_do_not_move(model):
    layers = model.bin_layers()
    frozen_name, free = list(layers)[0], list(layers.values())[1:]
    for parameter in layers[frozen_name].parameters():
        parameter.requires_grad_(False)
    assert movable_layers(model) == free
    with frozen(model), pytest.raises(UserError, match="no batch-instance norm .or all are frozen"):
        require_movable_layers(model)
    assert require_movable_layers(model) == free


def test_stepped_gates_stand_in_for_the_parameters_inside_the_block(model):
    layers, before = movable_layers(model), gates_of(model)
    images = torch.randn(4, 3, 24, 12, dtype=torch.float64)
    out = model.pool(images)
    with pytest.raises(KeyError), stepped_gates(layers, [0 * layer.gate for layer in layers]):
        assert not torch.equal(model.pool(images), out)
        raise KeyError
    assert torch.equal(model.pool(images), out)
    assert torch.equal(gates_of(model), before)


def test_the_gate_that_stops_a_run_is_named_among_all_layers(model):
    names = list(model.bin_layers())
    for parameter in model.bin_layers()[names[0]].parameters():
        parameter.requires_grad_(False)
    with pytest.raises(DivergenceError, match=f"of {names[2]}.gate .* iteration 8; .* Do this"):
        stop_for_gate(model, 1, 7, "Do this.")
