"""Fit weights from elsewhere to a network, and say what came of it."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import Any, NamedTuple

from mmengine.logging import print_log
from torch import Tensor, nn

from mmreid_ext.errors import UserError
from mmreid_ext.shorten import shorten

from .layouts import LAYOUTS, PREFIXES

_NESTED = ("state_dict", "model", "model_state_dict", "net", "teacher")
"""Entries under which files of other programs keep their weights."""

_CLASSIFIERS = ("fc.", "head.", "heads.", "classifier.")
"""Layers of a network that have no place in a backbone."""


class _Match(NamedTuple):
    """A state in the network's names, how many of its weights fit, and whose names it had."""

    state: dict[str, Any]
    fitting: int
    layout: str


def matched_state(module: nn.Module, state: dict[str, Any], source: str) -> dict[str, Any]:
    """Return weights under the names of a network, in the translation of which most fit.

    What fits is said, and what the file or the network has more.

    Args:
        module: The network, for example a backbone.
        state: Names and weights of a file; it may hold them under ``'model'`` or the like.
        source: Its name, for messages.

    Raises:
        UserError: If no weight fits.
    """
    own = module.state_dict()
    given = _weights_of(state)
    best = max(
        (_translated(given, prefix, layout, own) for prefix in PREFIXES for layout in LAYOUTS),
        key=lambda match: match.fitting,
    )
    if not best.fitting:
        raise UserError(
            f"No weight of {source} fits {type(module).__name__}: the file has "
            f"{shorten(given, shown=3)}, the network {shorten(own, shown=3)}. Give "
            "weights of the same architecture, or set model.backbone.init_cfg=None."
        )
    _report(best, own, source)
    return best.state


def _weights_of(state: dict[str, Any]) -> dict[str, Any]:
    """Return the mapping that holds the tensors, whatever it lies in."""
    if any(isinstance(value, Tensor) for value in state.values()):
        return state
    nested = (state.get(name) for name in _NESTED)
    return next((found for found in nested if isinstance(found, dict) and found), state)


def _translated(
    given: dict[str, Any], prefix: str, layout: str, own: Mapping[str, Tensor]
) -> _Match:
    translate = LAYOUTS[layout]
    if not prefix and not layout:  # as it is, the versions that it remembers included
        return _Match(given, sum(_fits(v, own.get(name)) for name, v in given.items()), layout)
    named = {translate(name.removeprefix(prefix)): value for name, value in given.items()}
    fitting = sum(_fits(value, own.get(name)) for name, value in named.items())
    return _Match(named, fitting, layout)


def _fits(value: Any, own: Tensor | None) -> bool:
    shape = getattr(value, "shape", None)
    return own is not None and shape == own.shape and bool(own.ndim)  # counters fit anything


def _report(match: _Match, own: Mapping[str, Tensor], source: str) -> None:
    state, layers = match.state, {name.rpartition(".")[0] for name in match.state}
    # Gates have no place in a plain network. A layer that gets nothing is what matters.
    lacking = [n for n in own if n not in state and n.rpartition(".")[0] not in layers]
    reshaped = [
        f"{name} {tuple(value.shape)} (here {tuple(own[name].shape)})"
        for name, value in state.items()
        if name in own and hasattr(value, "shape") and value.shape != own[name].shape
    ]
    unused = [name for name in state if name not in own]
    text = f"{match.fitting} weights of {source} taken over"
    text += f" ({match.layout})" if match.layout else ""
    for what, names in (
        ("not in the file", lacking),
        ("of another shape", reshaped),
        ("not used", unused),
    ):
        text += f"; {what}: {shorten(names)}" if names else ""
    unexpected = [name for name in unused if not name.startswith(_CLASSIFIERS)]
    level = logging.WARNING if lacking or reshaped or unexpected else logging.INFO
    print_log(f"{text}.", logger="current", level=level)
