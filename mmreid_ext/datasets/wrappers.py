"""The data set behind the wrappers of MMEngine, MMPretrain and PyTorch."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from mmreid_ext.errors import UserError
from mmreid_ext.registry import DATASETS

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
                raise _strung_together(type(dataset).__name__, names)
            if len(parts) != 1:
                return dataset
            dataset = parts[0]
        elif hasattr(dataset, "dataset") and not _has_labels(dataset):
            dataset = dataset.dataset
        else:
            return dataset


def refuse_wrappers(config: Any, place: str, is_test: bool = False) -> None:
    """Refuse wrappers that merge people or change a test set, before data are read.

    Args:
        config: Settings of a data set; anything else is left alone.
        place: Where they stand, for messages.
        is_test: Whether it is evaluated: then every wrapper of a reader is refused.

    Raises:
        UserError: If readers are strung together, or a test set is wrapped.
    """
    if not isinstance(config, Mapping):
        return
    parts = config.get("datasets", [config["dataset"]] if "dataset" in config else [])
    if not isinstance(parts, Sequence) or isinstance(parts, str):
        return
    readers = [part for part in parts if _holds_reader(part)]
    wrapper = f"{place}={_type_name(config)}"
    if is_test and readers:
        raise UserError(
            f"{wrapper}: test images would be repeated or left out. Give the data set itself, or "
            "dict(type='mmreid_ext.BenchmarkSuite', sources=[...]) for several."
        )
    if len(readers) > 1:
        raise _strung_together(wrapper, [_type_name(reader) for reader in readers])
    for part in parts:
        refuse_wrappers(part, place, is_test)


def _holds_reader(config: Any) -> bool:
    if not isinstance(config, Mapping):
        return isinstance(config, RecordDataset)
    inner = [config.get("dataset"), *(config.get("datasets") or ())]
    kind = config.get("type")
    kind = DATASETS.get(kind) if isinstance(kind, str) else kind
    is_reader = isinstance(kind, type) and issubclass(kind, RecordDataset)
    return is_reader or any(_holds_reader(part) for part in inner)


def _type_name(config: Any) -> str:
    kind = config.get("type") if isinstance(config, Mapping) else type(config)
    return str(getattr(kind, "__name__", kind))


def _strung_together(wrapper: str, names: Sequence[Any]) -> UserError:
    return UserError(
        f"{wrapper} of {', '.join(map(str, names))}: identities are numbered from 0 in each, "
        "so person k of one would be trained as person k of the other. "
        "Use dict(type='mmreid_ext.MultiSourceDataset', sources=[...])."
    )


def _has_labels(dataset: Any) -> bool:
    """Also of a reader that has not read its records yet."""
    return hasattr(dataset, "num_classes") or isinstance(dataset, RecordDataset)
