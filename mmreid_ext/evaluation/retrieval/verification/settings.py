"""Check the settings of open-set identification, and name its metrics; loads no PyTorch."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from mmreid_ext.errors import UserError
from mmreid_ext.setting_checks import is_number, is_whole
from mmreid_ext.suggest import did_you_mean

OPEN_SET_FPRS = (0.1, 0.01)
"""False positive identification rates."""

OPEN_SET_DEFAULTS: dict[str, Any] = dict(unknown=0.5, draws=10, seed=0)


def check_open_set(settings: Any) -> dict[str, Any] | None:
    """Return complete settings, None for no open-set figures.

    Args:
        settings: None or False; True for the defaults; or a dict with some of ``unknown`` (share of
            the people who are taken out of the gallery, 0.5), ``draws`` (how often they are drawn,
            10) and ``seed`` (0).

    Raises:
        ValueError: If it is something else, or a value is out of its range.
    """
    if settings is None or settings is False:
        return None
    known = list(OPEN_SET_DEFAULTS)
    form = f"open_set must be None, True or a dict with keys among {known}"
    if settings is True:
        return dict(OPEN_SET_DEFAULTS)
    if not isinstance(settings, Mapping):
        raise UserError(f"{form}, got {settings!r}.")
    for key in settings:
        if key not in known:
            hint = did_you_mean(key, known)
            raise UserError(f"{form}; open_set has unknown entries {[key]}{hint}.")
    unknown, draws, seed = ({**OPEN_SET_DEFAULTS, **settings}[key] for key in known)
    if not is_number(unknown) or not 0 < unknown < 1:
        raise UserError(f"open_set: unknown={unknown!r} must be a number between 0 and 1.")
    if not is_whole(draws, 1) or not is_whole(seed, 0):
        raise UserError(
            f"open_set: draws={draws!r} must be a whole number, at least 1, and seed={seed!r} one, "
            "at least 0."
        )
    return dict(unknown=unknown, draws=draws, seed=seed)


def open_set_names() -> list[str]:
    """Name the metrics: ``open_set/DIR@FPR=10%``, ``open_set/DIR@FPR=1%``."""
    return [open_set_name(fpr) for fpr in OPEN_SET_FPRS]


def open_set_name(fpr: float) -> str:
    """Name the detection and identification rate at a false positive rate."""
    return f"open_set/DIR@FPR={100 * fpr:g}%"
