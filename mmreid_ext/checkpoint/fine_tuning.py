"""Tell a run that continues a checkpoint from one that only starts from its weights.

MMEngine loads both alike: every entry whose name and shape fit. But memories, step counts, centres
and classifiers belong to a run or to one numbering of its identities. Row 7 of a classifier means
another person in another data set, and nothing in its shape tells. So a resumed run loads
everything, or stops; ``load_from`` and ``init_cfg=dict(type='Pretrained')`` leave such entries at
their starting values, and say so.

Installed by ``mmreid_ext.compat.enable_safe_checkpoints``.
"""

from __future__ import annotations

import copy
import logging
from collections.abc import Callable, Iterable, Mapping
from contextvars import ContextVar
from functools import wraps
from typing import Any, NamedTuple

import torch
from mmengine.logging import print_log
from mmengine.model import weight_init
from mmengine.runner import BaseLoop, Runner
from mmengine.runner import runner as mm_runner
from torch import nn

from mmreid_ext.checkpoint.starting import matched_state
from mmreid_ext.errors import UserError
from mmreid_ext.shorten import shorten

from .weights import differing_entries, require_names


class Loading(NamedTuple):
    """The purpose of a load, ``'resume'``, ``'evaluate'`` or ``'load_from'``, and its model."""

    purpose: str
    model: nn.Module


# None: a plain load_checkpoint(model, file), which loads all that fits.
_loading: ContextVar[Loading | None] = ContextVar("loading", default=None)


def install(mm_checkpoint: Any) -> None:
    """Tell the ways of loading in MMEngine apart.

    Args:
        mm_checkpoint: ``mmengine.runner.checkpoint``.
    """
    Runner.resume = _marked(lambda runner: "resume", Runner.resume)
    Runner.load_checkpoint = _marked(_purpose_of, Runner.load_checkpoint)
    mm_runner._load_checkpoint = _read_for_runner(mm_runner._load_checkpoint)
    pretrained = weight_init.PretrainedInit
    pretrained.__call__ = _initialising(mm_checkpoint, pretrained.__call__)


def _purpose_of(runner: Runner) -> str:
    """``'evaluate'`` or ``'load_from'``: which loops has the runner built?"""
    if isinstance(runner._train_loop, BaseLoop):
        return "load_from"
    tests = (runner._val_loop, runner._test_loop)
    return "evaluate" if any(isinstance(loop, BaseLoop) for loop in tests) else "load_from"


def _marked(purpose: Callable[[Runner], str], load: Callable[..., Any]) -> Callable[..., Any]:
    @wraps(load)
    def call(runner: Runner, *args: Any, **kwargs: Any) -> Any:
        model = getattr(runner.model, "module", runner.model)
        # Resuming calls load_checkpoint.
        token = _loading.set(_loading.get() or Loading(purpose(runner), model))
        try:
            return load(runner, *args, **kwargs)
        finally:
            _loading.reset(token)

    return call


def _read_for_runner(read: Callable[..., Any]) -> Callable[..., Any]:
    @wraps(read)
    def read_for_purpose(*args: Any, **kwargs: Any) -> Any:
        checkpoint, loading = read(*args, **kwargs), _loading.get()
        return checkpoint if loading is None else fit_checkpoint(checkpoint, *loading)

    return read_for_purpose


def _initialising(mm_checkpoint: Any, call: Callable[..., None]) -> Callable[..., None]:
    @wraps(call)
    def initialise(init: Any, module: nn.Module) -> None:
        load = mm_checkpoint.load_state_dict

        def load_fitting(target: nn.Module, state: dict, strict: bool, logger: Any) -> None:
            fitting = matched_state(target, state, str(init.checkpoint))
            # Shapes that a network changes while it loads are MMEngine's to report.
            told = "silent" if _shapes_fit(target, fitting) else logger
            load(target, without_foreign_state(target, fitting), strict, told)

        mm_checkpoint.load_state_dict = load_fitting
        try:
            call(init, module)
        finally:
            mm_checkpoint.load_state_dict = load

    return initialise


def _shapes_fit(target: nn.Module, state: Mapping) -> bool:
    own = target.state_dict()
    return all(own[name].shape == state[name].shape for name in own.keys() & state.keys())


def fit_checkpoint(checkpoint: dict, purpose: str, model: nn.Module) -> dict:
    """Keep what a runner may load into ``model``, before any hook sees it.

    Averaged weights (``EMAHook``) are a part of the run: ``state_dict`` holds them, and
    ``ema_state_dict`` the weights that training would go on with. So a new run needs the first
    only.

    Raises:
        ValueError: If it is no checkpoint, or a run is to be resumed with another model.
    """
    if not isinstance(checkpoint, dict):
        raise UserError(
            f"The file holds a {type(checkpoint).__name__}, no checkpoint: expected a dictionary "
            "with a state_dict."
        )
    nested = "state_dict" in checkpoint
    state = checkpoint["state_dict"] if nested else checkpoint
    require_names(state)
    if purpose == "resume":
        require_equal_entries(model, _unwrapped(state))
        return checkpoint
    averaged = checkpoint.get("ema_state_dict")
    if purpose == "evaluate":
        if averaged is not None and not _fits(model, averaged):
            del checkpoint["ema_state_dict"]
        if not nested:
            return _without_unfit_memories(model, _unwrapped(state))
        checkpoint["state_dict"] = _without_unfit_memories(model, _unwrapped(state))
        return checkpoint
    state = without_foreign_state(model, _unwrapped(state))
    if not nested:
        return state
    checkpoint.pop("ema_state_dict", None)
    checkpoint["state_dict"] = state
    return checkpoint


def _unwrapped(state: dict) -> dict:
    """Return names without the prefix of a distributed wrapper."""
    if not any(name.startswith("module.") for name in state):
        return state
    return type(state)((name.removeprefix("module."), value) for name, value in state.items())


def _fits(model: nn.Module, averaged: dict) -> bool:
    own, given = model.state_dict(), _unwrapped(averaged)
    return all(n in given and given[n].shape == value.shape for n, value in own.items())


def require_equal_entries(model: nn.Module, state: Mapping) -> None:
    """Refuse to continue a run with other weights than the checkpoint's.

    Raises:
        ValueError: If an entry is missing, unknown, or of another shape.
    """
    own = {name: v for name, v in model.state_dict().items() if _is_state(name, v)}
    given = {name: v for name, v in state.items() if _is_state(name, v)}
    problems = differing_entries(own, given)
    if problems:
        raise UserError(
            f"resume: the checkpoint holds another model: {shorten(problems, '; ')}. Resume with "
            "the configuration that wrote it, or start a new run from its weights by `load_from`."
        )


def _is_state(name: str, value: Any) -> bool:
    # Early batch-norm checkpoints lack the counter of batches.
    return isinstance(value, torch.Tensor) and not name.endswith("num_batches_tracked")


def without_foreign_state(model: nn.Module, state: dict) -> dict:
    """Copy ``state``, with the model's own present entries in the place of another run's.

    A module names such entries in ``run_state`` (never taken over) and ``identity_state`` (taken
    over if a module says ``same_identities``).

    Raises:
        ValueError: If ``same_identities`` contradicts the shapes.
    """
    own = model.state_dict()
    same = any(getattr(module, "same_identities", False) for module in model.modules())
    always, numbered = foreign_entries(model)
    if same:
        _require_equal_shapes(own, state, numbered)
    left_out = [n for n in own if n in state and n in (always if same else always | numbered)]
    if not left_out:
        return state
    advice = "" if same else "; for the same identities set `model.head.same_identities=True`"
    print_log(
        f"load_from: {shorten(left_out)} not taken over: memories, step counts, centres and "
        f"classifiers belong to the checkpoint's run and identities (`--resume` continues it"
        f"{advice}).",
        logger="current",
        level=logging.WARNING,
    )
    return _replaced(state, own, left_out)


def _without_unfit_memories(model: nn.Module, state: dict) -> dict:
    """For evaluation, which reads no memory: one of another size is no reason to refuse a file."""
    own, (always, _) = model.state_dict(), foreign_entries(model)
    if all(own[name].shape == state[name].shape for name in always & state.keys()):
        return state
    return _replaced(state, own, always)


def _replaced(state: dict, own: Mapping, names: Iterable[str]) -> dict:
    """Copy ``state``, its ``_metadata`` included, with the model's own entries of some names."""
    fitting = copy.copy(state)
    fitting.update({name: own[name] for name in names})
    return fitting


def foreign_entries(model: nn.Module) -> tuple[set[str], set[str]]:
    """Return the names in the model's state dictionary that belong to a run, and to a numbering."""
    entries: tuple[set[str], set[str]] = (set(), set())
    names = list(model.state_dict())
    for owner, module in model.named_modules():
        prefix = f"{owner}." if owner else ""
        for found, attribute in zip(entries, ("run_state", "identity_state"), strict=True):
            for part in getattr(module, attribute, ()):
                whole = prefix + part
                found.update(n for n in names if n == whole or n.startswith(f"{whole}."))
    return entries


def _require_equal_shapes(own: Mapping, state: Mapping, names: set[str]) -> None:
    for name in sorted(names & state.keys()):
        if own[name].shape != state[name].shape:
            raise UserError(
                f"model.head.same_identities=True, "
                f"but {name} has shape {tuple(state[name].shape)} in the checkpoint "
                f"and {tuple(own[name].shape)} here: the identities are others; set it to False."
            )
