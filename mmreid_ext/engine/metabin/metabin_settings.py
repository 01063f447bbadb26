"""Settings of MetaBIN, checked before data are read and processes are started."""

from __future__ import annotations

import inspect
import math
from collections.abc import Collection, Mapping, Sequence
from numbers import Real

from mmengine.optim import OptimWrapper
from torch import nn

from mmreid_ext.errors import UserError, UserTypeError
from mmreid_ext.suggest import did_you_mean
from mmreid_ext.type_names import parameters_of

from .gate_schedule import CyclicRatio
from .meta_gates import LOSS_SETS, LossSets, movable_layers

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


def check_numbers(
    gate_lr: float,
    num_train_domains: int | None,
    first_base_steps: int,
    straight_through: bool,
    second_order: bool,
) -> None:
    """Check each setting that can be checked by itself.

    Raises:
        UserTypeError: If one is not a number, an integer or a truth value as it must be.
        UserError: If one is out of range.
    """
    if isinstance(gate_lr, bool) or not isinstance(gate_lr, Real):
        raise UserTypeError(f"{_OWNER}: gate_lr={gate_lr!r} must be a number.")
    if not (math.isfinite(gate_lr) and gate_lr >= 0):
        raise UserError(
            f"{_OWNER}: gate_lr={gate_lr}, it must be finite and at least 0; a negative step would "
            "move the gates uphill."
        )
    _check_count("first_base_steps", first_base_steps, "1 is one base step in every iteration")
    if num_train_domains is not None:
        _check_count("num_train_domains", num_train_domains, "None takes half of the domains")
    for name, value in (("straight_through", straight_through), ("second_order", second_order)):
        if not isinstance(value, bool):
            raise UserTypeError(f"{_OWNER}: {name}={value!r} must be True or False.")


def _check_count(name: str, value: int, advice: str) -> None:
    if isinstance(value, bool) or not isinstance(value, int):
        raise UserTypeError(f"{_OWNER}: {name}={value!r} must be an integer; {advice}.")
    if value < 1:
        raise UserError(f"{_OWNER}: {name}={value} must be at least 1; {advice}.")


def build_inner_ratio(value: Mapping[str, float] | None) -> CyclicRatio:
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


def resolve_loss_sets(value: LossSets | str | Mapping[str, Sequence[str]]) -> LossSets:
    """Turn the setting ``loss_sets`` into names for each stage.

    Raises:
        UserTypeError: If it, or the names of a stage, are of another type.
        UserError: If a name of a set or a stage is unknown, or a stage has no loss.
    """
    if isinstance(value, LossSets):
        value = value._asdict()
    if isinstance(value, str):
        if value not in LOSS_SETS:
            raise UserError(
                f"{_OWNER}: loss_sets must be one of {', '.join(LOSS_SETS)} or a dict, got "
                f"{value!r}{did_you_mean(value, LOSS_SETS)}."
            )
        return LOSS_SETS[value]
    if not isinstance(value, Mapping):
        raise UserTypeError(
            f"{_OWNER}: loss_sets={value!r} must be one of {', '.join(LOSS_SETS)} or a dict."
        )
    if set(value) != set(LossSets._fields):
        raise UserError(
            f"{_OWNER}: loss_sets needs the keys {', '.join(LossSets._fields)}, got "
            f"{sorted(map(str, value))}."
        )
    for stage, names in value.items():
        if isinstance(names, str) or not isinstance(names, Sequence):
            raise UserTypeError(
                f"{_OWNER}: loss_sets.{stage}={names!r} must be a list of names, such as ['ce']."
            )
        if not all(isinstance(name, str) for name in names):
            raise UserTypeError(f"{_OWNER}: loss_sets.{stage}={names!r}: names must be strings.")
        if not names:
            raise UserError(f"{_OWNER}: loss_sets.{stage} is empty: name at least one loss.")
        if len(set(names)) < len(names):
            raise UserError(
                f"{_OWNER}: loss_sets.{stage}={list(names)} names a loss twice, which counts once; "
                "to weigh it more set its loss_weight in model.head.losses."
            )
    return LossSets(**{stage: tuple(names) for stage, names in value.items()})


def check_model(model: nn.Module, loss_sets: LossSets, second_order: bool) -> None:
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
    for stage, names in loss_sets._asdict().items():
        try:
            model.head.check_loss_names(names)
        except UserError as error:
            raise UserError(f"{_OWNER}: loss_sets.{stage}: {error}") from error


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
