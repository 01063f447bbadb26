import pytest
import torch
from torch import nn

from mmreid_ext.engine import BFloat16OptimWrapper, ReIDOptimWrapperConstructor


def make_wrapper(model):
    config = dict(type="mmreid_ext.BFloat16OptimWrapper", optimizer=dict(type="SGD", lr=0.1))
    return ReIDOptimWrapperConstructor(config)(model)


def test_forward_in_bfloat16_weights_and_gradients_in_float32():
    model = nn.Linear(8, 4)
    wrapper = make_wrapper(model)
    assert type(wrapper) is BFloat16OptimWrapper
    x = torch.randn(16, 8)
    before = model.weight.detach().clone()
    with wrapper.optim_context(model):
        y = model(x)
        loss = y.float().square().mean()
    assert y.dtype == torch.bfloat16
    assert model(x).dtype == torch.float32
    wrapper.backward(loss)
    assert model.weight.dtype == model.weight.grad.dtype == torch.float32
    wrapper.step()
    assert not torch.equal(model.weight, before)


def test_step_equals_float32_up_to_rounding():
    torch.manual_seed(0)
    model, x = nn.Linear(8, 4, bias=False), torch.randn(16, 8)
    expected = model.weight.detach().clone().requires_grad_()
    (grad,) = torch.autograd.grad((x @ expected.T).square().mean(), expected)
    wrapper = make_wrapper(model)
    with wrapper.optim_context(model):
        loss = model(x).float().square().mean()
    wrapper.update_params(loss)
    # bfloat16 keeps 8 bits: 0.4 % per product.
    torch.testing.assert_close(
        model.weight.detach(), expected.detach() - 0.1 * grad, rtol=0, atol=0.02 * 0.1
    )


def test_accumulation_still_works():
    model = nn.Linear(8, 4)
    wrapper = BFloat16OptimWrapper(
        optimizer=torch.optim.SGD(model.parameters(), lr=0.1), accumulative_counts=2
    )
    wrapper.initialize_count_status(model, 0, 4)
    before = model.weight.detach().clone()
    for step in range(2):
        with wrapper.optim_context(model):
            loss = model(torch.ones(2, 8)).float().sum()
        wrapper.update_params(loss)
        assert torch.equal(model.weight.detach(), before) == (step == 0)


def test_context_ends_after_an_exception():
    model = nn.Linear(2, 2)
    with pytest.raises(KeyError), make_wrapper(model).optim_context(model):
        raise KeyError
    assert not torch.is_autocast_cpu_enabled()
