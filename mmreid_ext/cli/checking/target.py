"""Read what a user wants to have checked."""

from __future__ import annotations

from pathlib import Path

from mmreid_ext.cli.config import read_config
from mmreid_ext.datasets.audit.read_set import SourceSet
from mmreid_ext.datasets.audit.sources import sets_of_config, sets_of_path
from mmreid_ext.errors import UserError


def read_target(target: str) -> list[SourceSet]:
    """Read the data sets of a configuration, a list or a folder.

    Raises:
        UserError: If there is no such file or folder, or no data set in it.
    """
    path = Path(target)
    if path.suffix != ".py":
        return sets_of_path(path)
    found = sets_of_config(read_config(path))
    if not found:
        raise UserError(
            f"check_dataset: {target} has no train_dataloader, val_dataloader or test_dataloader; "
            "give the configuration of a training."
        )
    return found
