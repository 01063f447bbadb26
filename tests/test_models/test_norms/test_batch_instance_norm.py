import copy

import pytest
import torch
import torch.nn.functional as F
from helpers.bin_layers import make_images, make_layer, two_branches
from torch import nn

from mmreid_ext.models.norms import BatchInstanceNorm2d, hold_running_stats
from mmreid_ext.registry import MODELS


def all_gradients(layer, y, x, grad):
    return torch.autograd.grad(y, [x, *layer.parameters()], grad)


@pytest.mark.parametrize("training", [True, False], ids=["train", "eval"])
@pytest.mark.parametrize("shape", [(4, 5, 6, 3), (1, 5, 2, 1), (3, 1, 4, 4)], ids=str)
def test_equals_two_branches(shape, training, memory_format):
    layer = make_layer(shape[1]).train(training)
    x = make_images(*shape).to(memory_format=memory_format).requires_grad_()
    grad = make_images(*shape, offset=0.3, seed=2).to(memory_format=memory_format)
    running = layer.running_mean.clone(), layer.running_var.clone()
    expected = two_branches(layer, x, running)
    y = layer(x)
    torch.testing.assert_close(y, expected)
    assert y.is_contiguous(memory_format=memory_format)
    torch.testing.assert_close(
        all_gradients(layer, y, x, grad), all_gradients(layer, expected, x, grad)
    )
    torch.testing.assert_close((layer.running_mean, layer.running_var), running)
    assert layer.num_batches_tracked == int(training)


def test_gate_one_is_batch_norm_and_gate_zero_is_affine_instance_norm():
    x = make_images(4, 5, 6, 3)
    layer = make_layer(gate=torch.ones(5))
    batch = nn.BatchNorm2d(5).double()
    batch.load_state_dict({k: v for k, v in layer.state_dict().items() if k in batch.state_dict()})
    torch.testing.assert_close(layer(x), batch(x), rtol=0, atol=1e-13)  # rounding only
    layer = make_layer(gate=torch.zeros(5))
    instance = F.instance_norm(x, weight=layer.in_weight, bias=layer.in_bias)
    torch.testing.assert_close(layer(x), instance, rtol=0, atol=1e-13)


@pytest.mark.parametrize("rho", [0.0, 0.3, 1.0])
def test_gate_gradient_is_the_difference_of_the_branches(rho):
    layer, x = make_layer(gate=torch.full((5,), rho)), make_images(4, 5, 6, 3)
    grad = make_images(4, 5, 6, 3, seed=2)
    (gate_grad,) = torch.autograd.grad(layer(x), layer.gate, grad)
    ones, zeros = make_layer(gate=torch.ones(5)), make_layer(gate=torch.zeros(5))
    expected = (grad * (ones(x) - zeros(x))).sum((0, 2, 3))
    assert expected.abs().min() > 0.1
    torch.testing.assert_close(gate_grad, expected)


@pytest.mark.parametrize("momentum", [0.1, 0.7, None])
def test_running_statistics_are_those_of_batch_norm(momentum):
    layer = BatchInstanceNorm2d(3, momentum=momentum).double()
    batch = nn.BatchNorm2d(3, momentum=momentum).double()
    for step in range(3):
        x = make_images(2, 3, 2, 2, seed=step)  # 8 values: biased and unbiased variance differ
        layer(x), batch(x)
    for name, value in batch.named_buffers():
        torch.testing.assert_close(layer.get_buffer(name), value)
    layer.eval(), batch.eval()
    torch.testing.assert_close(layer(x), batch(x))


def test_three_modes():
    x = make_images(4, 5, 6, 3)
    layer = make_layer()
    before = copy.deepcopy(layer.state_dict())
    with hold_running_stats(layer):
        held = layer(x)
    torch.testing.assert_close(layer.state_dict(), before, rtol=0, atol=0)
    trained = layer(x)
    assert torch.equal(held, trained)
    assert not torch.equal(layer.running_mean, before["running_mean"])
    after = copy.deepcopy(layer.state_dict())
    evaluated = layer.eval()(x)
    assert (evaluated - trained).abs().max() > 0.1
    torch.testing.assert_close(layer.state_dict(), after, rtol=0, atol=0)


def need_float16_on_the_cpu():
    """PyTorch 2.1 has no batch norm for it there, nor beside parameters in float32."""
    half = torch.ones(2, 1, 2, 2, dtype=torch.float16)
    try:
        F.batch_norm(half, None, None, torch.ones(1), torch.zeros(1), training=True)
        F.batch_norm(half, None, None, half[0, 0, 0, :1], half[0, 0, 0, :1], training=True)
    except RuntimeError as error:
        pytest.skip(f"this PyTorch has no batch norm in float16 on the CPU: {error}")


# Output rounded to 11 and 8 bits, values up to 5; parameter gradients sum 320 rounded terms.
TOLERANCE = {torch.float32: 1e-5, torch.float16: 5e-3, torch.bfloat16: 4e-2}


@pytest.mark.parametrize("dtype", TOLERANCE, ids=str)
@pytest.mark.parametrize("half_parameters", [False, True], ids=["params32", "params_same"])
def test_precisions(dtype, half_parameters, memory_format):
    if dtype == torch.float16:
        need_float16_on_the_cpu()
    layer = make_layer(5, torch.float32)
    if half_parameters:
        layer = layer.to(dtype)
    exact = copy.deepcopy(layer).double()
    x = make_images(8, 5, 8, 5).to(dtype).to(memory_format=memory_format)
    grad = make_images(8, 5, 8, 5, offset=0.3, seed=2).to(dtype)
    narrow, wide = x.clone().requires_grad_(), x.double().requires_grad_()
    y, expected = layer(narrow), two_branches(exact.train(), wide)
    assert y.dtype == dtype
    assert y.is_contiguous(memory_format=memory_format)
    tolerance = TOLERANCE[dtype]
    torch.testing.assert_close(y.double(), expected, rtol=tolerance, atol=tolerance)
    found = all_gradients(layer, y, narrow, grad)
    for got, want in zip(found, all_gradients(exact, expected, wide, grad.double()), strict=True):
        scale = want.abs().max()
        torch.testing.assert_close(got.double() / scale, want / scale, rtol=0, atol=tolerance)
    exact(x.double())
    torch.testing.assert_close(
        layer.running_var.double(), exact.running_var, rtol=tolerance, atol=tolerance
    )


def test_half_precision_sums_beyond_its_range():
    """float16 ends at 65504: squares and sums must be taken in float32."""
    need_float16_on_the_cpu()
    x = make_images(2, 5, 64, 32, dtype=torch.float16, offset=300.0)
    y = make_layer(5, torch.float32)(x)
    assert torch.isfinite(y).all()
    assert y.float().std() > 0.5


@pytest.mark.parametrize("shape", [(2, 5, 4), (2, 4, 4, 4), (5, 4, 4)], ids=str)
def test_wrong_shape_is_named(shape):
    with pytest.raises(ValueError, match=rf"\({shape[0]}, {shape[1]}, .*must be \(N, 5, H, W\)"):
        make_layer()(torch.zeros(shape).double())


@pytest.mark.parametrize("training", [True, False])
def test_maps_of_one_pixel_are_refused(training):
    with pytest.raises(ValueError, match=r"one pixel, \(4, 5, 1, 1\).*smaller stride"):
        make_layer().train(training)(make_images(4, 5, 1, 1))


def test_empty_batch_does_not_poison_the_running_statistics():
    layer = make_layer()
    with pytest.raises(ValueError, match="no values"):
        layer(torch.zeros(0, 5, 4, 4).double())
    assert torch.isfinite(layer.running_mean).all()
    assert layer.eval()(torch.zeros(0, 5, 4, 4).double()).shape == (0, 5, 4, 4)


def test_batch_norm_checkpoint_loads_and_evaluates_the_same():
    batch = nn.BatchNorm2d(5).double()
    batch(make_images(4, 5, 6, 3))
    nn.init.normal_(batch.weight), nn.init.normal_(batch.bias)
    layer = BatchInstanceNorm2d(5).double()
    keys = layer.load_state_dict(batch.state_dict(), strict=False)
    assert set(keys.missing_keys) == {"in_weight", "in_bias", "gate"}
    assert not keys.unexpected_keys
    x = make_images(2, 5, 6, 3, seed=3)
    torch.testing.assert_close(layer.eval()(x), batch.eval()(x))


def test_convert_sync_batchnorm_leaves_it_alone():
    model = nn.Sequential(nn.Conv2d(3, 5, 1), BatchInstanceNorm2d(5), nn.BatchNorm2d(5))
    converted = nn.SyncBatchNorm.convert_sync_batchnorm(model)
    assert type(converted[1]) is BatchInstanceNorm2d
    assert type(converted[2]) is nn.SyncBatchNorm


def test_stepped_gate_replaces_the_parameter_and_gets_the_gradient():
    layer, x = make_layer(), make_images(4, 5, 6, 3)
    other = make_layer(gate=torch.full((5,), 0.25))
    layer.stepped_gate = torch.full((5,), 0.25, dtype=torch.float64, requires_grad=True)
    y = layer(x)
    torch.testing.assert_close(y, other(x))
    y.square().sum().backward()
    assert layer.gate.grad is None
    assert layer.stepped_gate.grad.abs().min() > 0


def test_copy_and_registry_names():
    layer = make_layer()
    clone = copy.deepcopy(layer)
    x = make_images(4, 5, 6, 3)
    assert torch.equal(clone(x), layer(x))
    clone.gate.data.zero_()
    assert layer.gate.abs().max() > 0
    for name in ("mmreid_ext.BIN", "mmreid_ext.BatchInstanceNorm2d"):
        assert type(MODELS.build(dict(type=name, num_features=3))) is BatchInstanceNorm2d
    assert "5, eps=1e-05, momentum=0.1" in repr(layer)


@pytest.mark.parametrize("copy_affine", [False, True])
def test_the_instance_norm_takes_over_a_loaded_affine_if_told_to(copy_affine):
    torch.manual_seed(0)
    plain, layer = torch.nn.BatchNorm2d(3), BatchInstanceNorm2d(3, copy_affine=copy_affine)
    torch.nn.init.uniform_(plain.weight)
    torch.nn.init.uniform_(plain.bias)
    given = plain.state_dict()
    layer.load_state_dict(given, strict=False)
    assert "in_weight" not in given
    assert layer.weight.equal(plain.weight)
    assert layer.in_weight.equal(plain.weight) is copy_affine
    assert layer.in_bias.equal(plain.bias) is copy_affine
    layer.in_weight.data.fill_(7)
    assert not layer.weight.eq(7).any()  # no memory in common
    again = BatchInstanceNorm2d(3, copy_affine=True)
    again.load_state_dict(layer.state_dict())
    assert again.in_weight.eq(7).all()
