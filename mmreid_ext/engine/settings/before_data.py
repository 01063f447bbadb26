"""Check settings that MMEngine would meet only when the training images are read."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from mmengine.registry import Registry
from mmengine.runner import Runner
from torch import nn

from mmreid_ext.datasets.reid_dataset import ReIDDataset
from mmreid_ext.datasets.samplers import GroupSampler
from mmreid_ext.datasets.transforms import PackForDevice
from mmreid_ext.engine.network import network_of
from mmreid_ext.errors import UserError
from mmreid_ext.evaluation.reid_metric import ReIDMetric
from mmreid_ext.models import ReIDDataPreprocessor
from mmreid_ext.protocols import build_protocol
from mmreid_ext.registry import DATA_SAMPLERS, DATASETS, METRICS, TRANSFORMS


def check_sampler(sampler: Any) -> None:
    """Check the settings of an identity sampler; those of other samplers pass.

    Args:
        sampler: As it stands in the loader of one rank, with its batch size.

    Raises:
        UserError: If a setting can't be used, whatever the images are.
    """
    kind = _kind(sampler, DATA_SAMPLERS)
    if kind is not None and issubclass(kind, GroupSampler) and "batch_size" in sampler:
        kind.check_settings(**{key: value for key, value in sampler.items() if key != "type"})


def check_validation_settings(runner: Runner) -> None:
    """Check the settings of our metrics, and the protocols that test sets ask for.

    Args:
        runner: Before its validation loop is built.

    Raises:
        UserError: If one can't be used.
    """
    evaluators = runner._val_evaluator
    for evaluator in evaluators if isinstance(evaluators, (list, tuple)) else [evaluators]:
        kind = _kind(evaluator, METRICS)
        if kind is not None and issubclass(kind, ReIDMetric):
            METRICS.build(evaluator)
    for reader in _readers(runner._val_dataloader):
        if reader.get("protocol") is not None:
            build_protocol(reader["protocol"])


def check_preprocessor(model: nn.Module, loader: Any) -> None:
    """Check that a model runs the augmentations which a pipeline leaves to it.

    Args:
        model: Alone or in a distributed wrapper.
        loader: Settings of a loader of training images; a built one passes.

    Raises:
        UserError: If a pipeline ends in ``PackForDevice`` beside another preprocessor than ours.
    """
    preprocessor = getattr(network_of(model), "data_preprocessor", None)
    if isinstance(preprocessor, ReIDDataPreprocessor) or not _leaves_augments(loader):
        return
    raise UserError(
        f"model.data_preprocessor={type(preprocessor).__name__} doesn't run the augmentations of "
        "PackForDevice; set model.data_preprocessor.type='mmreid_ext.ReIDDataPreprocessor', or end "
        "the pipeline by PackReIDInputs."
    )


def _leaves_augments(node: Any) -> bool:
    if isinstance(node, Mapping):
        kind = _kind(node, TRANSFORMS)
        is_packing = kind is not None and issubclass(kind, PackForDevice)
        return is_packing or any(map(_leaves_augments, node.values()))
    return isinstance(node, (list, tuple)) and any(map(_leaves_augments, node))


def _readers(node: Any) -> Iterator[Mapping[str, Any]]:
    """Yield the settings of every reader of ours, however deep they stand."""
    if isinstance(node, Mapping):
        kind = _kind(node, DATASETS)
        if kind is not None and issubclass(kind, ReIDDataset):
            yield node
        for value in node.values():
            yield from _readers(value)
    elif isinstance(node, (list, tuple)):
        for value in node:
            yield from _readers(value)


def _kind(settings: Any, registry: Registry) -> type | None:
    """Return the class that settings name, None where they name none that is registered."""
    kind = settings.get("type") if isinstance(settings, Mapping) else None
    if isinstance(kind, str):
        kind = registry.get(kind)
    return kind if isinstance(kind, type) else None
