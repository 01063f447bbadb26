"""Means and shares of the gates, by hand, and the names of stages."""

import pytest
import torch

from mmreid_ext.engine.metabin.gate_statistics import gate_statistics
from mmreid_ext.models.norms import BatchInstanceNorm2d


def layer(*gates: float) -> BatchInstanceNorm2d:
    norm = BatchInstanceNorm2d(len(gates))
    norm.gate.data.copy_(torch.tensor(gates))
    return norm


def test_every_gate_counts_once():
    layers = {
        "backbone.bn1": layer(1.0, 0.5),
        "backbone.layer1.0.bn1": layer(0.0, 0.25, 1.0, 1.0),
        "backbone.layer1.1.bn2": layer(0.75, 0.0),
    }
    expected = {
        "gate/mean": 4.5 / 8,
        "gate/at_0": 2 / 8,
        "gate/at_1": 3 / 8,
        "gate/stem/mean": 0.75,
        "gate/stem/at_0": 0.0,
        "gate/stem/at_1": 0.5,
        "gate/layer1/mean": 3 / 6,
        "gate/layer1/at_0": 2 / 6,
        "gate/layer1/at_1": 2 / 6,
    }
    found = {name: value.item() for name, value in gate_statistics(layers).items()}
    assert found == pytest.approx(expected, abs=1e-7)


def test_a_gate_beside_the_bound_is_not_at_it():
    beside = torch.tensor([1.0]).nextafter(torch.tensor([0.0])).item()
    statistics = gate_statistics({"backbone.bn1": layer(beside, 1e-30)})
    assert (statistics["gate/at_1"], statistics["gate/at_0"]) == (0.0, 0.0)
