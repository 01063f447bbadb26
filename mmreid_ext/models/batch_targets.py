"""Read what a batch of data samples says to the losses."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from mmpretrain.structures import DataSample
from torch import Tensor

from mmreid_ext.distributed import sent_to


def read_targets(data_samples: Sequence[DataSample], device: torch.device) -> tuple[Tensor, Tensor]:
    """Read labels and domains of a batch, each (N,) int64; the domain is 0 if a sample has none."""
    pids = torch.cat([sample.gt_label for sample in data_samples])
    domains = [int(sample.get("domain", 0)) for sample in data_samples]
    return pids.to(device), integers_on(device, domains)


def integers_on(device: torch.device, values: Sequence[int]) -> Tensor:
    """Copy integers to a device as int64; the host does not wait for work queued there."""
    return sent_to(device, torch.tensor(values, dtype=torch.int64))
