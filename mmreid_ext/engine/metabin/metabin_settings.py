"""Settings of MetaBIN, checked before data are read and processes are started."""

from __future__ import annotations

import inspect
from collections.abc import Collection, Mapping
from typing import Any

from mmengine.optim import OptimWrapper

from mmreid_ext.errors import UserError, UserTypeError
from mmreid_ext.models import ReIDModel
from mmreid_ext.suggest import did_you_mean
from mmreid_ext.type_names import parameters_of

from .gate_schedule import CyclicRatio
from .gates import movable_layers
from .loss_sets import LossSets

_OWNER = "MetaBINTrainLoop"


def check_names(loop: type, names: Collection[str]) -> None:
    """Check names of settings that are passed on to MMEngine's loop.

    Raises:
        UserTypeError: If one is unknown.
    """
    known = sorted(set(parameters_of(loop)) - {"runner", "dataloader"})
    for name in names:
        if name not in known:
            raise UserTypeError(
                f"{_OWNER} takes no {name!r}{did_you_mean(name, known)}; it takes "
                f"{', '.join(known)}."
            )


def check_counts(first_base_steps: int, num_train_domains: int | None) -> None:
    """Check the settings that count something.

    Raises:
        UserTypeError: If one is not an integer.
        UserError: If one is below 1.
    """
    _check_count("first_base_steps", first_base_steps, "1 is one base step in every iteration")
    if num_train_domains is not None:
        _check_count("num_train_domains", num_train_domains, "None takes half of the domains")


def _check_count(name: str, value: int, advice: str) -> None:
    if isinstance(value, bool) or not isinstance(value, int):
        raise UserTypeError(f"{_OWNER}: {name}={value!r} must be an integer; {advice}.")
    if value < 1:
        raise UserError(f"{_OWNER}: {name}={value} must be at least 1; {advice}.")


def build_inner_ratio(value: Mapping[str, Any] | None) -> CyclicRatio:
    """Make the schedule of the inner step size.

    Raises:
        UserTypeError: If ``value`` is no dict.
        UserError: If it has an unknown key or an impossible number.
    """
    if value is None:
        return CyclicRatio()
    if not isinstance(value, Mapping):
        raise UserTypeError(
            f"{_OWNER}: inner_ratio={value!r} must be a dict with low, high and period."
        )
    known = list(inspect.signature(CyclicRatio).parameters)
    for key in value:
        if key not in known:
            raise UserError(
                f"{_OWNER}: inner_ratio has no key {key!r}{did_you_mean(key, known)}; it takes "
                f"{', '.join(known)}."
            )
    return CyclicRatio(**value)


def check_model(model: ReIDModel, loss_sets: LossSets, second_order: bool) -> None:
    """Check that the gates can be learnt, and that the head has the losses.

    Args:
        model: The network without its distributed wrapper.
        loss_sets: Names for each stage.
        second_order: Whether derivatives of second order are needed.

    Raises:
        UserError: If not.
    """
    layers = model.bin_layers() if hasattr(model, "bin_layers") else {}
    if not layers:
        raise UserError(
            f"{_OWNER} needs a ReIDModel whose backbone has norm_cfg=dict(type='mmreid_ext.BIN')."
        )
    trained = [name for name, layer in layers.items() if layer.gate.requires_grad]
    if trained:
        raise UserError(
            f"{len(trained)} gates are trained as ordinary weights, {trained[0]} the first: "
            "set the model's train_gates=False, or use ReIDTrainLoop."
        )
    if not movable_layers(model):
        raise UserError(
            f"{_OWNER}: all {len(layers)} layers with gates are frozen; lower "
            "model.backbone.frozen_stages, or use ReIDTrainLoop."
        )
    _check_derivatives(model, second_order)
    for stage, names in loss_sets._asdict().items():
        try:
            model.head.check_loss_names(names)
        except UserError as error:
            raise UserError(f"{_OWNER}: loss_sets.{stage}: {error}") from error


def _check_derivatives(model: ReIDModel, second_order: bool) -> None:
    """Raise if the network hides the gates' derivatives from autograd."""
    checkpointed = [name for name, m in model.named_modules() if getattr(m, "with_cp", False)]
    if checkpointed:
        raise UserError(
            f"{_OWNER}: with_cp=True in {checkpointed[0]}: gradients of gates don't pass through "
            "blocks that are computed twice; set model.backbone.with_cp=False."
        )
    if second_order and getattr(model.backbone, "_compiled_call_impl", None) is not None:
        raise UserError(
            f"{_OWNER}: second_order=True needs model.compile_backbone=False: compiled networks "
            "have no derivatives of second order."
        )


def refuse_accumulation(optim_wrapper: OptimWrapper | dict | None) -> None:
    """Raise if gradients are to be accumulated: a gate update follows every base step.

    Args:
        optim_wrapper: The wrapper, or its settings before it is built.

    Raises:
        UserError: If ``accumulative_counts`` is above 1.
    """
    if isinstance(optim_wrapper, dict):
        counts = optim_wrapper.get("accumulative_counts", 1)
    else:
        counts = getattr(optim_wrapper, "_accumulative_counts", 1)
    if counts > 1:
        raise UserError(
            f"MetaBIN: optim_wrapper.accumulative_counts={counts}, it takes 1 only; use a larger "
            "batch or more ranks."
        )
