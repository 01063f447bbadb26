"""Settings of model, losses and sampler that would have no effect beside the others of a run."""

from __future__ import annotations

import logging
from collections.abc import Collection, Iterable, Mapping
from typing import Any

from mmengine.logging import print_log
from mmengine.runner import Runner
from torch import nn

from mmreid_ext.engine.network import network_of
from mmreid_ext.errors import UserError
from mmreid_ext.models.losses import (
    BatchHardTripletLoss,
    CircleLoss,
    CrossBatchMemory,
    MarginSampleMiningLoss,
    NPairsLoss,
    TripletMarginLoss,
)
from mmreid_ext.models.norms import BatchInstanceNorm2d

from .plain_norms import check_plain_norms

COMPARING = (
    BatchHardTripletLoss,
    CircleLoss,
    MarginSampleMiningLoss,
    NPairsLoss,
    TripletMarginLoss,
)
"""Losses that need two images of a person in one batch."""

PARAMWISE = (
    "custom_keys",
    "bias_lr_mult",
    "bias_decay_mult",
    "norm_decay_mult",
    "flat_decay_mult",
    "dwconv_decay_mult",
    "dcn_offset_lr_mult",
    "bypass_duplicate",
)
"""What MMEngine's ``DefaultOptimWrapperConstructor`` reads of ``paramwise_cfg``."""


def check_model(runner: Runner, loader: Any, max_iters: int | None, gates_step: bool) -> None:
    """Warn of settings that lie idle.

    Args:
        runner: With its model, before data and optimiser are built.
        loader: Settings of the training loader.
        max_iters: Iterations of the run, None where only its epochs are known.
        gates_step: Whether the loop updates the gates of batch-instance norms.
    """
    model = network_of(runner.model)
    _check_frozen(runner)
    _check_preprocessors(runner.cfg)
    _check_paramwise(runner.optim_wrapper, model)
    _check_group_size(loader, model)
    if not gates_step:
        _check_gates(model)
    if max_iters is not None:
        _check_memories(model, max_iters)
    check_plain_norms(runner)


def _check_gates(model: nn.Module) -> None:
    gates = [m.gate for m in model.modules() if isinstance(m, BatchInstanceNorm2d)]
    if gates and not any(gate.requires_grad for gate in gates):
        _warn(
            "model.train_gates=False, and the loop isn't MetaBINTrainLoop: no gate is ever "
            "trained; set train_gates=True."
        )


def _check_memories(model: nn.Module, max_iters: int) -> None:
    for name, module in model.named_modules():
        if isinstance(module, CrossBatchMemory) and module.start_iter >= max_iters:
            _warn(
                f"model.{name}.start_iter={module.start_iter} lies behind "
                f"train_cfg.max_iters={max_iters}: the memory is never used."
            )


def check_meta_losses(runner: Runner, stages: Iterable[Collection[str]]) -> None:
    """Warn of losses of the head that MetaBIN's stages leave out.

    Args:
        runner: With its model.
        stages: Names of the losses of each stage, those of the base step first.
    """
    stages = list(stages)
    head = (runner.cfg.get("model") or {}).get("head") or {}
    configured = head.get("train_losses")
    if configured is not None and set(configured) != set(stages[0]):
        _warn(
            f"model.head.train_losses={list(configured)} has no effect: the base step of MetaBIN "
            f"takes train_cfg.loss_sets, {list(stages[0])}."
        )
    unused = set(head.get("losses") or ()) - set().union(*stages)
    if unused:
        _warn(f"model.head.losses {sorted(unused)} are in no stage of train_cfg.loss_sets.")


def _check_frozen(runner: Runner) -> None:
    backbone = (runner.cfg.get("model") or {}).get("backbone") or {}
    frozen = backbone.get("frozen_stages", -1)
    if not isinstance(frozen, int) or frozen < 0 or runner._load_from or runner._resume:
        return
    if not backbone.get("init_cfg") and not backbone.get("pretrained"):
        _warn(
            f"model.backbone.frozen_stages={frozen}, but there are neither init_cfg nor load_from: "
            "random weights are frozen."
        )


def _check_preprocessors(cfg: Mapping[str, Any]) -> None:
    outer = cfg.get("data_preprocessor")
    inner = (cfg.get("model") or {}).get("data_preprocessor")
    if outer is not None and inner is not None and outer != inner:
        _warn("data_preprocessor has no effect: model.data_preprocessor is given and differs.")


def _check_paramwise(wrapper: Any, model: nn.Module) -> None:
    settings = wrapper.get("paramwise_cfg") if isinstance(wrapper, Mapping) else None
    if not settings or "Default" not in str(wrapper.get("constructor", "Default")):
        return
    unknown = sorted(set(settings) - set(PARAMWISE))
    if unknown:
        raise UserError(
            f"optim_wrapper.paramwise_cfg: nothing reads {', '.join(unknown)}; it takes "
            f"{', '.join(PARAMWISE)}."
        )
    names = [name for name, _ in model.named_parameters()]
    for key in settings.get("custom_keys") or ():
        if not any(key in name for name in names):
            _warn(f"optim_wrapper.paramwise_cfg.custom_keys: no parameter is called like {key!r}.")


def _check_group_size(loader: Any, model: nn.Module) -> None:
    sampler = loader.get("sampler") if isinstance(loader, Mapping) else None
    if not isinstance(sampler, Mapping) or sampler.get("num_instances") != 1:
        return
    head = getattr(model, "head", None)
    used = getattr(head, "train_losses", ())
    losses = getattr(head, "losses", {})
    idle = [name for name in used if name in losses and isinstance(losses[name], COMPARING)]
    if idle:
        _warn(
            f"sampler.num_instances=1: a batch holds one image of a person, and {', '.join(idle)} "
            "of model.head.losses need two."
        )


def _warn(text: str) -> None:
    print_log(text, logger="current", level=logging.WARNING)
