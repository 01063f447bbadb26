"""Batch-instance norms to test, their inputs, and their definition in two branches."""

from __future__ import annotations

import torch
import torch.nn.functional as F

from mmreid_ext.models.norms import BatchInstanceNorm2d


def two_branches(layer, x, running=None):
    """The definition: batch norm and instance norm side by side, mixed by the gate.

    ``running`` (mean, variance) is updated in place in training mode.
    """
    mean, var = running or (layer.running_mean.clone(), layer.running_var.clone())
    batch = F.batch_norm(
        x, mean, var, layer.weight, layer.bias, layer.training, layer.momentum or 0.0, layer.eps
    )
    # Not F.instance_norm: its gradient is wrong (torch 2.11, CPU) for one channels-last image of
    # width one.
    centred = x - x.mean((2, 3), keepdim=True)
    normalised = centred * torch.rsqrt(centred.square().mean((2, 3), keepdim=True) + layer.eps)
    instance = layer.in_weight[:, None, None] * normalised + layer.in_bias[:, None, None]
    gate = layer.gate[:, None, None]
    return gate * batch + (1 - gate) * instance


def make_layer(channels=5, dtype=torch.float64, gate=None, seed=0, **options):
    """A layer whose parameters and running values are all different; ``gate`` fixes the gates."""
    generator = torch.Generator().manual_seed(seed)
    layer = BatchInstanceNorm2d(channels, **options).to(dtype)
    with torch.no_grad():
        for value in (layer.weight, layer.in_weight, layer.running_var):
            value.copy_(torch.rand(channels, generator=generator) + 0.5)
        for value in (layer.bias, layer.in_bias, layer.running_mean):
            value.copy_(torch.randn(channels, generator=generator))
        layer.gate.copy_(torch.rand(channels, generator=generator) if gate is None else gate)
    return layer


def make_images(*shape, dtype=torch.float64, offset=1.0, seed=1):
    generator = torch.Generator().manual_seed(seed)
    return (torch.randn(*shape, generator=generator, dtype=torch.float64) + offset).to(dtype)
