"""Read what a batch of data samples says to the losses."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from mmpretrain.structures import DataSample
from torch import Tensor

from mmreid_ext.distributed import sent_to
from mmreid_ext.errors import UserError


def read_targets(data_samples: Sequence[DataSample], device: torch.device) -> tuple[Tensor, Tensor]:
    """Read labels and domains of a batch, each (N,) int64; the domain is 0 if a sample has none.

    Raises:
        UserError: If the images of the batch still lack their augmentations.
    """
    if getattr(data_samples, "pending", None) is not None:
        raise UserError(
            "ReIDModel: the augmentations of PackForDevice didn't run; set "
            "model.data_preprocessor.type='mmreid_ext.ReIDDataPreprocessor', or end the pipeline "
            "by PackReIDInputs."
        )
    domains = integers_on(device, domains_of(data_samples))
    labels = getattr(data_samples, "labels", None)
    if labels is not None:
        return sent_to(device, labels), domains
    return torch.cat([sample.gt_label for sample in data_samples]).to(device), domains


def domains_of(data_samples: Sequence[DataSample]) -> list[int]:
    """Read the domains of a batch, N of them; 0 if a sample has none."""
    domains = getattr(data_samples, "domains", None)
    if domains is None:
        domains = [int(sample.get("domain", 0)) for sample in data_samples]
    return domains


def samples_at(data_samples: Sequence[DataSample], rows: Sequence[int]) -> Sequence[DataSample]:
    """Take the data samples of some rows."""
    take = getattr(data_samples, "take", None)
    return [data_samples[row] for row in rows] if take is None else take(rows)


def integers_on(device: torch.device, values: Sequence[int]) -> Tensor:
    """Copy integers to a device as int64; the host does not wait for work queued there."""
    return sent_to(device, torch.tensor(values, dtype=torch.int64))
