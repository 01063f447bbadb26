"""Check settings of the process that MMEngine takes whatever they are, or on several ranks only."""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from typing import Any

from mmengine import registry as root
from mmengine.runner import TestLoop, ValLoop

from mmreid_ext.errors import UserError
from mmreid_ext.setting_checks import is_whole
from mmreid_ext.suggest import did_you_mean
from mmreid_ext.type_names import parameters_of

_LARGEST_SEED = 2**32 - 1  # of NumPy
_START_METHODS = ("fork", "spawn", "forkserver")
_GIVEN = ("runner", "dataloader", "evaluator")
"""Arguments of a loop that the runner gives it."""


def check_environment_settings(cfg: Mapping[str, Any]) -> None:
    """Check ``randomness``, ``env_cfg``, and the loops that evaluate.

    Args:
        cfg: A whole configuration.

    Raises:
        UserError: If a value is of another kind than needed, or a loop takes no such key.
    """
    _check_randomness(cfg.get("randomness") or {})
    _check_process(cfg.get("env_cfg") or {})
    for place, default in (("val_cfg", ValLoop), ("test_cfg", TestLoop)):
        _check_loop(place, cfg.get(place), default)


def _check_randomness(settings: Mapping[str, Any]) -> None:
    seed = settings.get("seed")
    if seed is not None and not is_whole(seed, 0, _LARGEST_SEED):
        raise UserError(
            f"randomness.seed={seed!r} must be a whole number from 0 to 2^32 - 1, or None: one is "
            "drawn."
        )
    for name in ("diff_rank_seed", "deterministic"):
        _require_bool(f"randomness.{name}", settings.get(name, False))


def _check_process(settings: Mapping[str, Any]) -> None:
    _require_bool("env_cfg.cudnn_benchmark", settings.get("cudnn_benchmark", False))
    limit = settings.get("resource_limit", 1)
    if not is_whole(limit, 1):
        raise UserError(
            f"env_cfg.resource_limit={limit!r} must be a whole number, at least 1: open files."
        )
    workers = settings.get("mp_cfg") or {}
    method, threads = workers.get("mp_start_method"), workers.get("opencv_num_threads", 0)
    if method is not None and method not in _START_METHODS:
        raise UserError(
            f"env_cfg.mp_cfg.mp_start_method={method!r}{did_you_mean(method, _START_METHODS)} must "
            f"be one of {', '.join(_START_METHODS)}."
        )
    if not is_whole(threads, 0):
        raise UserError(
            f"env_cfg.mp_cfg.opencv_num_threads={threads!r} must be a whole number, at least 0."
        )


def _require_bool(name: str, value: Any) -> None:
    if value not in (0, 1):  # False and True are these
        raise UserError(f"{name}={value!r} must be True or False.")


def _check_loop(place: str, loop: Any, default: type) -> None:
    """Refuse keys that a loop doesn't take; it is built after hours of training, or by a test."""
    if not isinstance(loop, Mapping):
        return
    kind = loop.get("type", default)
    kind = root.LOOPS.get(kind) if isinstance(kind, str) else kind
    if not inspect.isclass(kind):
        return  # whoever builds it says what is wrong
    names = [name for name in parameters_of(kind) if name not in _GIVEN]
    for key in loop:
        if key not in (*names, "type"):
            known = [*names, "type"]
            raise UserError(
                f"{place}: {kind.__name__} takes no {key!r}{did_you_mean(key, known)}; it takes "
                f"{', '.join(known)}."
            )
