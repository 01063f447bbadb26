"""How it is computed: layouts, memory, accuracy far from zero, repeated and second derivatives."""

import pytest
import torch
import torch.nn.functional as F
from helpers.bin_layers import make_images, make_layer, two_branches
from torch.autograd import gradcheck, gradgradcheck

from mmreid_ext.models.norms.instance_affine import instance_affine, plain_instance_affine
from mmreid_ext.models.norms.kernels import instance_moments


def functional(layer):
    """The layer as a function of its input and all parameters, for gradcheck."""

    def run(x, *params):
        names = [name for name, _ in layer.named_parameters()]
        return torch.func.functional_call(layer, dict(zip(names, params, strict=True)), (x,))

    return run


@pytest.mark.parametrize("training", [True, False], ids=["train", "eval"])
def test_first_and_second_derivatives(training, memory_format):
    layer = make_layer(2).train(training)
    x = make_images(2, 2, 2, 3).to(memory_format=memory_format).requires_grad_()
    inputs = (x, *(p.detach().clone().requires_grad_() for p in layer.parameters()))
    assert gradcheck(functional(layer), inputs)
    assert gradgradcheck(functional(layer), inputs)


def test_second_derivatives_mix_gates_and_input():
    """What a second-order meta-step needs: d/d(gate) of the gradient by another quantity."""
    layer, x = make_layer(), make_images(4, 5, 6, 3).requires_grad_()
    results = []
    for run in (layer, lambda x: two_branches(layer, x)):
        (grad,) = torch.autograd.grad(run(x).pow(3).sum(), layer.gate, create_graph=True)
        results.append(torch.autograd.grad(grad.square().sum(), [x, *layer.parameters()]))
    torch.testing.assert_close(*results)


STRANGE_INPUTS = {
    "transposed": lambda x: x.transpose(2, 3).contiguous().transpose(2, 3),
    "every second row": lambda x: torch.stack([x, x + 1], dim=3).flatten(2, 3)[:, :, ::2],
    "expanded batch": lambda x: x[:1].expand_as(x),
    "slice of channels": lambda x: torch.cat([x, x], dim=1)[:, : x.shape[1]],
    "channels-last slice": lambda x: torch.cat([x, x], dim=1).to(memory_format=torch.channels_last)[
        :, : x.shape[1]
    ],
}


@pytest.mark.parametrize("strange", STRANGE_INPUTS)
def test_non_contiguous_inputs_and_gradients(strange, memory_format):
    layer = make_layer()
    image, grad = make_images(4, 5, 6, 3), make_images(4, 5, 6, 3, seed=2)
    for x, g in (
        (STRANGE_INPUTS[strange](image), grad),
        (image.to(memory_format=memory_format), STRANGE_INPUTS[strange](grad)),
    ):
        x = x.detach().requires_grad_()
        y, expected = layer(x), two_branches(layer, x)
        torch.testing.assert_close(y, expected)
        inputs = [x, *layer.parameters()]
        torch.testing.assert_close(
            torch.autograd.grad(y, inputs, g), torch.autograd.grad(expected, inputs, g)
        )


def test_expanded_gradient_of_a_sum(memory_format):
    layer = make_layer()
    x = make_images(4, 5, 6, 3).to(memory_format=memory_format).requires_grad_()
    layer(x).sum().backward()
    (expected,) = torch.autograd.grad(two_branches(layer, x).sum(), layer.bias)
    torch.testing.assert_close(layer.bias.grad, expected)
    assert x.grad.abs().max() < 1e-10  # a normalised sum does not depend on the input


@pytest.mark.parametrize("only", ["weight", "bias", "in_weight", "in_bias", "gate", "x"])
@pytest.mark.parametrize("training", [True, False], ids=["train", "eval"])
def test_gradient_of_one_input_alone(only, training):
    layer = make_layer().train(training)
    x = make_images(4, 5, 6, 3).requires_grad_(only == "x")
    for name, parameter in layer.named_parameters():
        parameter.requires_grad_(name == only)
    wanted = x if only == "x" else getattr(layer, only)
    grad = make_images(4, 5, 6, 3, seed=2)
    found = torch.autograd.grad(layer(x), wanted, grad)
    torch.testing.assert_close(found, torch.autograd.grad(two_branches(layer, x), wanted, grad))


def test_backward_twice_and_two_forwards_before_backward():
    layer = make_layer()
    first, second = make_images(4, 5, 6, 3).requires_grad_(), make_images(4, 5, 6, 3, seed=5)
    y, z = layer(first), layer(second)
    once = torch.autograd.grad(y.square().sum(), [first, layer.gate], retain_graph=True)
    torch.testing.assert_close(torch.autograd.grad(y.square().sum(), [first, layer.gate]), once)
    expected = torch.autograd.grad(two_branches(layer, second).square().sum(), layer.gate)
    torch.testing.assert_close(torch.autograd.grad(z.square().sum(), layer.gate), expected)


def test_no_grad_forward_and_in_place_relu(memory_format):
    layer = make_layer()
    x = make_images(4, 5, 6, 3).to(memory_format=memory_format).requires_grad_()
    with torch.no_grad():
        assert not layer(x).requires_grad
    F.relu_(layer(x)).square().sum().backward()
    (expected,) = torch.autograd.grad(F.relu(two_branches(layer, x)).square().sum(), x)
    torch.testing.assert_close(x.grad, expected)


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16], ids=str)
def test_only_the_input_is_kept_for_backward(dtype, memory_format):
    layer = make_layer(8, torch.float32)
    x = make_images(4, 8, 32, 16, dtype=dtype).to(memory_format=memory_format).requires_grad_()
    kept = {}

    def pack(tensor):
        storage = tensor.untyped_storage()
        kept[storage.data_ptr()] = storage.nbytes()
        return tensor

    with torch.autograd.graph.saved_tensors_hooks(pack, lambda tensor: tensor):
        y = layer(x)
    assert kept.pop(x.untyped_storage().data_ptr()) == x.numel() * x.element_size()
    # Besides: vectors of N * C or C float32 values, a few dozen at most.
    assert sum(kept.values()) < 40 * 4 * 8 * 4
    assert y.grad_fn is not None


@pytest.mark.parametrize("offset", [1e3, 1e4])
def test_means_far_from_zero(offset, memory_format):
    """Not worse than PyTorch's batch norm in float32, against float64 (gate 1: the same thing)."""
    x = make_images(4, 3, 32, 16, dtype=torch.float32, offset=offset)
    x = x.to(memory_format=memory_format)
    grad = make_images(4, 3, 32, 16, dtype=torch.float32, offset=0.5, seed=2)

    def run(batch_norm, dtype):
        layer = make_layer(3, dtype, gate=torch.ones(3), seed=3)
        layer.running_var.fill_(1)
        images = x.to(dtype).requires_grad_()
        mean, var = torch.zeros(3, dtype=dtype), torch.ones(3, dtype=dtype)
        if batch_norm:
            y = F.batch_norm(images, mean, var, layer.weight, layer.bias, True, 1.0)
        else:
            layer.momentum = 1.0
            y = layer(images)
            mean, var = layer.running_mean, layer.running_var
        grads = torch.autograd.grad(y, [images, layer.weight, layer.bias], grad.to(dtype))
        return [t.detach().double() for t in (y, *grads, mean, var)]

    exact = run(True, torch.float64)
    names = ("y", "x", "weight", "bias", "mean", "var")
    for name, ours, torchs, want in zip(
        names, run(False, torch.float32), run(True, torch.float32), exact, strict=True
    ):
        scale = want.abs().max()
        error, reference = (ours - want).abs().max() / scale, (torchs - want).abs().max() / scale
        # One rounding of the mean, 6e-8 of the offset, times the sum of gradients: that of weight.
        assert error <= max(2 * reference, 2e-6 * offset), (name, error, reference)


def test_moments_far_from_zero(memory_format):
    x = make_images(4, 3, 32, 16, dtype=torch.float32, offset=1e4).to(memory_format=memory_format)
    mean, var = instance_moments(x)
    want_var, want_mean = torch.var_mean(x.double(), dim=(2, 3), correction=0)
    torch.testing.assert_close(mean.double(), want_mean, rtol=2e-7, atol=0)
    # An error e of the mean adds e^2, here (1e4 * 6e-8)^2, to an exact two-pass variance of 1.
    torch.testing.assert_close(var.double(), want_var, rtol=1e-5, atol=0)


def test_plain_form_is_the_same_function():
    layer, x = make_layer(), make_images(4, 5, 6, 3)

    torch.testing.assert_close(
        instance_affine(x, coefficients, layer.weight),
        plain_instance_affine(x, coefficients, layer.weight),
    )


def coefficients(mean, var, weight):
    batch_mean = (weight * mean).mean(0)
    return weight * torch.rsqrt(var + 1), weight + mean * 0.5, batch_mean, weight


@pytest.mark.parametrize("form", [instance_affine, plain_instance_affine])
def test_what_else_was_found_comes_back_without_a_gradient(form):
    weight = torch.ones(5, dtype=torch.float64, requires_grad=True)
    x = make_images(4, 5, 6, 3).requires_grad_()
    y, batch_mean, same_weight = form(x, coefficients, weight)
    assert y.requires_grad
    assert not batch_mean.requires_grad and not same_weight.requires_grad
    torch.testing.assert_close(batch_mean, x.detach().mean((0, 2, 3)))
    assert torch.equal(same_weight, weight)
