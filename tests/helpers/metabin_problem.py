"""Fixed batches and a model for tests of single MetaBIN steps, in float64."""

from __future__ import annotations

import torch
from mmpretrain.structures import DataSample

from mmreid_ext.registry import MODELS

from .tiny_reid import LOSSES, tiny_model

NUM_DOMAINS = 4
OPTIM_WRAPPER = dict(
    constructor="mmreid_ext.ReIDOptimWrapperConstructor",
    optimizer=dict(type="SGD", lr=0.01, momentum=0.9, weight_decay=5e-4),
    paramwise_cfg=dict(bias_lr_mult=2.0),
)


def make_batch(generator: torch.Generator, num_domains: int = NUM_DOMAINS) -> dict:
    """Two images of each of two identities per domain."""
    samples = []
    for row in range(num_domains * 4):
        sample = DataSample().set_gt_label(row // 2)
        sample.set_field(row // 4, "domain", field_type="metainfo")
        samples.append(sample)
    domains = torch.tensor([s.domain for s in samples], dtype=torch.float64)
    inputs = torch.randn(len(samples), 3, 24, 12, generator=generator, dtype=torch.float64)
    return dict(inputs=inputs + domains[:, None, None, None] / 2, data_samples=samples)


def make_model(first_gate: float, stages: int = 2):
    """A model with affine parameters off their starting values, gates at 1 or near a value."""
    torch.manual_seed(5)
    losses = dict(LOSSES, ce=dict(type="mmreid_ext.LabelSmoothingLoss", spread="others"))
    model = MODELS.build(tiny_model(num_classes=8, losses=losses, stages=stages)).double().train()
    with torch.no_grad():
        for layer in model.bin_layers().values():
            for parameter in (layer.weight, layer.bias, layer.in_weight, layer.in_bias):
                parameter.add_(0.1 * torch.randn_like(parameter))
            spread = 0.0 if first_gate == 1 else 0.1
            layer.gate.copy_(first_gate + spread * (2 * torch.rand_like(layer.gate) - 1))
    return model


def gates_of(model) -> torch.Tensor:
    """All gates in one vector, copied."""
    return torch.cat([layer.gate.detach() for layer in model.bin_layers().values()])
