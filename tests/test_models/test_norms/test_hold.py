import copy

import pytest
import torch
from torch import nn

from mmreid_ext.models.norms import BatchInstanceNorm2d, SyncBatchNorm, hold_running_stats


def make_model():
    return nn.Sequential(
        nn.Conv2d(3, 4, 1),
        BatchInstanceNorm2d(4),
        nn.BatchNorm2d(4),
        nn.InstanceNorm2d(4, track_running_stats=True),
        nn.Flatten(),
        nn.BatchNorm1d(4 * 6),
        SyncBatchNorm(4 * 6),
        nn.BatchNorm1d(4 * 6, momentum=None),
    )


def assert_same_buffers(model, before):
    for name, value in model.named_buffers():
        assert torch.equal(value, before[name]), name


def test_statistics_of_all_layers_are_held_and_outputs_are_those_of_training():
    model, images = make_model(), torch.randn(4, 3, 2, 3)
    before = copy.deepcopy(dict(model.named_buffers()))
    with hold_running_stats(model):
        held = model(images)
    assert_same_buffers(model, before)
    torch.testing.assert_close(model(images), held, rtol=0, atol=0)
    for name, value in model.named_buffers():
        if name != "3.num_batches_tracked":  # PyTorch's instance norm never counts
            assert not torch.equal(value, before[name]), name


def test_nested_blocks_and_exceptions():
    model, images = make_model(), torch.randn(4, 3, 2, 3)
    before = copy.deepcopy(dict(model.named_buffers()))
    flags = [getattr(m, "track_running_stats", None) for m in model]
    with pytest.raises(KeyError), hold_running_stats(model):
        with hold_running_stats(model):
            model(images)
        model(images)
        raise KeyError
    assert_same_buffers(model, before)
    assert [getattr(m, "track_running_stats", None) for m in model] == flags
    assert model[3].momentum == 0.1
    model(images)
    assert not torch.equal(model[1].running_mean, before["1.running_mean"])


def test_layers_in_evaluation_mode_are_unaffected():
    model, images = make_model().eval(), torch.randn(4, 3, 2, 3)
    for layer in model.modules():
        if getattr(layer, "running_mean", None) is not None:
            layer.running_mean.normal_()
    expected = model(images)
    with hold_running_stats(model):
        assert torch.equal(model(images), expected)


def test_gradients_flow_through_held_statistics():
    layer = BatchInstanceNorm2d(4).double()
    x = torch.randn(4, 4, 2, 3, dtype=torch.float64, requires_grad=True)
    (expected,) = torch.autograd.grad(layer(x).pow(3).sum(), x)
    with hold_running_stats(layer):
        (held,) = torch.autograd.grad(layer(x).pow(3).sum(), x)
    torch.testing.assert_close(held, expected)


def test_layers_without_running_statistics_stay_without():
    layer = nn.BatchNorm2d(4, track_running_stats=False)
    with hold_running_stats(layer):
        layer(torch.randn(4, 4, 2, 3))
    assert layer.track_running_stats is False
