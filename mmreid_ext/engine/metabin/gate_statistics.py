"""Statistics of the gates, for the log."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor

from mmreid_ext.models.norms import BatchInstanceNorm2d
from mmreid_ext.stage_names import stage_of


@torch.no_grad()
def gate_statistics(layers: Mapping[str, BatchInstanceNorm2d]) -> dict[str, Tensor]:
    """Mean gate and share of gates at 0 and at 1, over all layers and per stage.

    Args:
        layers: Batch-instance norms by name, as :meth:`mmreid_ext.models.ReIDModel.bin_layers`
            returns them.

    Returns:
        ``gate/mean``, ``gate/at_0``, ``gate/at_1`` and the same under ``gate/<stage>/``, each 0-d
        float32 on the device: whoever reads them reads the losses at once.
    """
    stages: dict[str, list[Tensor]] = {}
    for name, layer in layers.items():
        stages.setdefault(stage_of(name), []).append(layer.gate)
    groups: dict[str, list[Tensor]] = {"gate": [layer.gate for layer in layers.values()]}
    groups |= {f"gate/{stage}": gates for stage, gates in stages.items()}
    values: list[Tensor] = []
    for gates in groups.values():
        gate = torch.cat(gates).float()
        values += gate.mean(), (gate == 0).float().mean(), (gate == 1).float().mean()
    names = [f"{group}/{name}" for group in groups for name in ("mean", "at_0", "at_1")]
    return dict(zip(names, values, strict=True))
