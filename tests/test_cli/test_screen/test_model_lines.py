"""Lines about model, recipe and devices."""

from types import SimpleNamespace

import pytest
import torch
from helpers.metabin_problem import make_model
from mmengine.optim import OptimWrapper
from torch import nn

from mmreid_ext.cli.screen import model_lines
from mmreid_ext.engine import BFloat16OptimWrapper


def expected_multiply_adds(model, size):
    """Count by hooks: outputs times the products behind each."""
    total = 0

    def count(module, inputs, output):
        nonlocal total
        if isinstance(module, nn.Conv2d):
            total += output[0].numel() * module.weight[0].numel()
        elif isinstance(module, nn.Linear):
            total += module.weight.numel()

    handles = [module.register_forward_hook(count) for module in model.modules()]
    model.eval()(torch.zeros(1, 3, *size, dtype=next(model.parameters()).dtype))
    for handle in handles:
        handle.remove()
    return total


def test_multiply_adds_are_those_of_papers():
    model = make_model(0.7).float()
    assert model_lines.multiply_adds(model, (32, 16)) == expected_multiply_adds(model, (32, 16)) > 0


def test_counting_leaves_no_trace():
    model = make_model(0.7).float().train()
    before = {name: value.clone() for name, value in model.state_dict().items()}
    torch.manual_seed(3)
    state = torch.get_rng_state()
    model_lines.multiply_adds(model, (32, 16))
    assert model.training and torch.equal(torch.get_rng_state(), state)
    assert all(torch.equal(value, before[name]) for name, value in model.state_dict().items())


def test_models_of_others_are_not_counted():
    assert model_lines.multiply_adds(nn.Linear(2, 2), (32, 16)) is None


@pytest.mark.parametrize(
    "wrapper, text", [(OptimWrapper, "float32"), (BFloat16OptimWrapper, "bfloat16")]
)
def test_precision(wrapper, text):
    layer = nn.Linear(1, 1)
    optim_wrapper = wrapper(optimizer=torch.optim.SGD(layer.parameters(), lr=0.1))
    runner = SimpleNamespace(optim_wrapper=optim_wrapper, model=layer, world_size=2)
    assert model_lines.precision_of(runner) == text
    line = model_lines.device_line(runner)
    assert line.startswith("CPU, 2 ranks, ") and line.endswith(f" each, {text}")
