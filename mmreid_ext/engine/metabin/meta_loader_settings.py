"""Check what MetaBIN needs of its meta batches: sampler, domains, the classifier's people."""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from typing import Any

from mmengine import registry as root
from mmengine.dataset import DefaultSampler, InfiniteSampler
from torch import nn
from torch.utils.data import DataLoader

from mmreid_ext.datasets.samplers import PKSampler
from mmreid_ext.datasets.wrappers import unwrapped
from mmreid_ext.errors import UserError, UserTypeError
from mmreid_ext.models.heads import ReIDHead
from mmreid_ext.models.run_state import RunState
from mmreid_ext.registry import DATA_SAMPLERS
from mmreid_ext.type_names import unknown_type

from .loss_sets import LossSets

_OWNER = "MetaBINTrainLoop"
_UNBALANCED = (PKSampler, DefaultSampler, InfiniteSampler)


def require_meta_dataloader(settings: dict | DataLoader | None) -> dict | DataLoader:
    """Return the settings of the meta batches, with a sampler that balances domains.

    Raises:
        UserTypeError: If there are no settings.
        UserError: If a part is missing, or the sampler is unknown or leaves out domains.
    """
    example = (
        "meta_dataloader=dict(batch_size=96, drop_last=True, "
        "sampler=dict(type='mmreid_ext.DomainPKSampler', num_instances=4))"
    )
    if isinstance(settings, DataLoader):
        kind: Any = type(settings.sampler)
    elif isinstance(settings, dict):
        missing = [key for key in ("batch_size", "sampler") if settings.get(key) is None]
        if missing:
            raise UserError(
                f"{_OWNER}: meta_dataloader has no {' and no '.join(missing)}; write {example}."
            )
        sampler = settings["sampler"]
        kind = sampler.get("type") if isinstance(sampler, Mapping) else type(sampler)
        if isinstance(kind, str):
            name, kind = kind, DATA_SAMPLERS.get(kind) or root.DATA_SAMPLERS.get(kind)
            if kind is None:
                place = f"{_OWNER}: meta_dataloader.sampler"
                raise UserError(unknown_type(name, DATA_SAMPLERS, place))
    else:
        raise UserTypeError(
            f"{_OWNER}: meta_dataloader={settings!r}, it must say how meta batches are drawn; "
            f"write {example}."
        )
    if isinstance(kind, type) and issubclass(kind, _UNBALANCED):
        raise UserError(
            f"{_OWNER}: meta_dataloader.sampler={kind.__name__} does not put every domain into "
            "every batch; use mmreid_ext.DomainPKSampler."
        )
    return settings


def count_domains(dataset: Any) -> int:
    """Number of domains of a data set.

    Raises:
        UserError: If it has fewer than two, or doesn't tell.
    """
    number = getattr(dataset, "num_domains", None)
    if number is None:
        raise UserError(
            f"{_OWNER}: {type(dataset).__name__} has no num_domains; use a re-ID data set, or "
            "mmreid_ext.MultiSourceDataset for several."
        )
    if number < 2:
        raise UserError(
            f"{_OWNER}: the meta batches' data set has num_domains={number}, MetaBIN needs "
            "at least 2 domains: cameras (domain_from='camera'), or several data sets."
        )
    return int(number)


def check_meta_classes(head: ReIDHead, loss_sets: LossSets, dataset: Any) -> None:
    """Compare the classifier with a meta data set of its own, where a meta pass uses it.

    Losses that compare images of a batch need equal labels for equal people only, so they take
    other people than the base step's.

    Raises:
        UserError: If the numbers of identities differ.
    """
    found = getattr(unwrapped(dataset), "num_classes", None)
    built = getattr(head, "num_classes", None)
    if found is None or built is None or found == built:
        return
    numbered = [
        name
        for name in dict.fromkeys((*loss_sets.meta_train, *loss_sets.meta_test))
        if _numbers_identities(head.losses[name])
    ]
    if numbered:
        raise UserError(
            f"{_OWNER}: the meta batches' data set has {found} identities, the classifier {built} "
            f"classes, and {', '.join(numbered)} in loss_sets would take person k of the one for "
            "person k of the other; use the training set (leave out meta_dataloader.dataset), or "
            "losses that compare images only, as loss_sets='multi_source' does."
        )


def _numbers_identities(loss: nn.Module) -> bool:
    """A loss on scores, or one with centres or a memory of the base step's people."""
    return isinstance(loss, RunState) or "logits" in inspect.signature(loss.forward).parameters
