"""Checkpoints whose gates are known."""

import numpy as np
import pytest
import torch

LAYERS = {"backbone.bn1": 4, "backbone.layer1.0.bn1": 4, "backbone.layer2.0.bn1": 8}


@pytest.fixture
def write_gates():
    """Write a checkpoint: gates by layer, beside what a batch-instance norm has."""

    def write(path, gates, prefix=""):
        state = {f"{prefix}backbone.conv1.weight": torch.zeros(2)}
        for name, values in gates.items():
            values = torch.as_tensor(np.asarray(values), dtype=torch.float32)
            for part in ("weight", "bias", "running_mean", "in_weight", "in_bias"):
                state[f"{prefix}{name}.{part}"] = torch.zeros(len(values))
            state[f"{prefix}{name}.gate"] = values
        path.parent.mkdir(parents=True, exist_ok=True)
        torch.save(dict(state_dict=state, meta={}), path)
        return path

    return write


@pytest.fixture
def training(write_gates, tmp_path):
    """A work folder of three checkpoints; layer k has the mean gate 1 - k * N / 100 at N."""
    for number in (30, 10, 20):
        gates = {
            name: np.full(size, 1 - place * number / 100)
            for place, (name, size) in enumerate(LAYERS.items())
        }
        write_gates(tmp_path / "run" / f"iter_{number}.pth", gates)
    return tmp_path / "run"
