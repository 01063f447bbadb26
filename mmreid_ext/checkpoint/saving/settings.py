"""Two settings of the checkpoint hook that MMEngine doesn't have."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from functools import wraps
from typing import Any, NamedTuple

from mmengine.hooks import CheckpointHook

from mmreid_ext.errors import UserError

CONTINUE, STOP = "continue", "stop"


class Settings(NamedTuple):
    """What a hook was told beside MMEngine's own arguments.

    Attributes:
        background: Whether checkpoints are copied, and written while training goes on.
        disk_full: ``"continue"`` or ``"stop"``, for a checkpoint that finds no room.
    """

    background: bool = False
    disk_full: str = CONTINUE


def settings_of(hook: CheckpointHook) -> Settings:
    """Return what a hook was told; the defaults for one made otherwise."""
    return getattr(hook, "saving", Settings())


def take_settings(init: Callable[..., None]) -> Callable[..., None]:
    """Let ``CheckpointHook`` take the fields of :class:`Settings` as arguments."""

    @wraps(init)
    def init_with_settings(hook: CheckpointHook, *args: Any, **kwargs: Any) -> None:
        given = {name: kwargs.pop(name) for name in Settings._fields if name in kwargs}
        hook.saving = _checked(Settings(**given))
        init(hook, *args, **kwargs)

    own = inspect.signature(init)
    more = [
        inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=default)
        for name, default in Settings._field_defaults.items()
    ]
    *first, rest = own.parameters.values()  # the last one is **kwargs
    init_with_settings.__signature__ = own.replace(parameters=[*first, *more, rest])  # type: ignore[attr-defined]
    return init_with_settings


def _checked(settings: Settings) -> Settings:
    place = "default_hooks.checkpoint"
    if not isinstance(settings.background, bool):
        raise UserError(f"{place}.background={settings.background!r}, must be True or False.")
    if settings.disk_full not in (CONTINUE, STOP):
        raise UserError(
            f"{place}.disk_full={settings.disk_full!r}, must be {CONTINUE!r} or {STOP!r}."
        )
    return settings
