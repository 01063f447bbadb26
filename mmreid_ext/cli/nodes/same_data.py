"""All ranks must have read the same data: labels, order, and files of the same size."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from mmengine.hooks import Hook
from mmengine.runner import Runner

from mmreid_ext.checkpoint.resume.run_record import describe_loader, flatten
from mmreid_ext.distributed import gather_objects, get_world_size
from mmreid_ext.errors import UserError
from mmreid_ext.shorten import shorten

from .card import machine_name

LOOKED_AT = 256
"""Files of a data set whose names and sizes are compared; the labels are compared in full."""

_PARTS = 2
"""Last parts of a path that are compared; the folders above them may differ between machines."""


class SameDataHook(Hook):
    """Compare what the ranks have read, once, before the first iteration."""

    priority = "VERY_HIGH"

    def before_train(self, runner: Runner) -> None:
        """Stop every rank if one of them has other data than rank 0.

        Raises:
            UserError: Names the rank, its machine and what differs.
        """
        if get_world_size() > 1:
            require_same(fingerprint(runner.train_dataloader))


def fingerprint(loader: Any) -> dict[str, Any]:
    """Describe the data of a loader: number, labels, order of the sampler, a sample of the files.

    Args:
        loader: A training loader whose data set has been read.

    Returns:
        Flat, plain values.
    """
    dataset: Any = getattr(loader, "dataset", None)
    found = flatten(describe_loader(loader))
    if dataset is not None and hasattr(dataset, "get_data_info"):
        count = len(dataset)
        for place in sorted({count * k // LOOKED_AT for k in range(LOOKED_AT)}) if count else []:
            path = Path(str(dataset.get_data_info(place).get("img_path", "")))
            name = "/".join(path.parts[-_PARTS:])
            found[f"image {place}"] = f"{name} of {_size(path)} bytes"
    return found


def require_same(mine: dict[str, Any]) -> None:
    """Compare a description with that of rank 0; every rank comes to the same verdict.

    Args:
        mine: Flat, plain values.

    Raises:
        UserError: On every rank: who differs, and in what.
    """
    gathered = gather_objects((machine_name(), mine))
    first = gathered[0][1]
    for rank, (host, other) in enumerate(gathered):
        names = [n for n in {**first, **other} if first.get(n) != other.get(n)]
        if names:
            values = [
                f"{n} is {other.get(n, 'missing')} there, {first.get(n)} on rank 0" for n in names
            ]
            raise UserError(
                f"rank {rank} on {host} has read other data: {shorten(values, '; ', 2)}; copy the "
                "data set again, or give the right data_root on that machine."
            )


def _size(path: Path) -> int:
    try:
        return os.path.getsize(path)
    except OSError:
        return -1
