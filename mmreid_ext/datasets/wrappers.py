"""The data set behind the wrappers of MMEngine, MMPretrain and PyTorch."""

from __future__ import annotations

from typing import Any

from mmreid_ext.errors import UserError

from .record_dataset import RecordDataset


def unwrapped(dataset: Any) -> Any:
    """Look through wrappers that repeat or choose images of one data set.

    Args:
        dataset: A data set, or a wrapper with an attribute ``dataset`` (``RepeatDataset``,
            ``ClassBalancedDataset``, ``KFoldDataset``, ``Subset``) or ``datasets``
            (``ConcatDataset``).

    Raises:
        UserError: If several data sets with labels are strung together: label 7 of one and label 7
            of the other are different people.
    """
    while True:
        parts = getattr(dataset, "datasets", None)
        if parts is not None:
            labelled = [part for part in parts if _has_labels(unwrapped(part))]
            if len(labelled) > 1:
                names = [getattr(unwrapped(part), "name", type(part).__name__) for part in labelled]
                raise UserError(
                    f"{type(dataset).__name__} of {', '.join(map(str, names))}: identities are "
                    "numbered from 0 in each, so person k of one would be trained as person k of "
                    "the other. Use dict(type='mmreid_ext.MultiSourceDataset', sources=[...])."
                )
            if len(parts) != 1:
                return dataset
            dataset = parts[0]
        elif hasattr(dataset, "dataset") and not _has_labels(dataset):
            dataset = dataset.dataset
        else:
            return dataset


def _has_labels(dataset: Any) -> bool:
    """Also of a reader that has not read its records yet."""
    return hasattr(dataset, "num_classes") or isinstance(dataset, RecordDataset)
