"""Refuse states of optimisers, schedules and averages that aren't what a run writes.

PyTorch and MMEngine copy them into their objects without a look; what is wrong shows at the first
step, as an error inside of theirs.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import torch

from mmreid_ext.shorten import one_line

from .plain_values import NUMBER, NUMBERS, PARTS, SMALL, STEP, Kind, is_mapping, is_whole, require

_GROUPS = Kind(
    "a list of dictionaries with params",
    lambda v: isinstance(v, list) and all(is_mapping(g) and _numbered(g.get("params")) for g in v),
)
_STATES = Kind(
    "a dictionary of dictionaries by the number of a parameter",
    lambda v: isinstance(v, Mapping) and all(isinstance(one, Mapping) for one in v.values()),
)
_SCHEDULES = Kind(
    "a list of dictionaries", lambda v: isinstance(v, list) and all(map(is_mapping, v))
)
_WEIGHTS = Kind(
    "a dictionary of tensors by name",
    lambda v: is_mapping(v) and all(isinstance(one, torch.Tensor) for one in v.values()),
)

_LIKE_THE_PARAMETER = ("momentum_buffer", "exp_avg", "exp_avg_sq", "max_exp_avg_sq")
"""Entries of a parameter's state that have its shape, in PyTorch's optimisers."""

_OF_ADAM = ("step", "exp_avg", "exp_avg_sq")
"""Entries that Adam and AdamW expect once there are any."""

_WHOLE_ADAM = Kind(
    f"a dictionary with {', '.join(_OF_ADAM)}", lambda v: all(name in v for name in _OF_ADAM)
)

_OF_SCHEDULES = {
    "last_step": STEP,
    "_global_step": STEP,
    "_last_value": NUMBERS,
    "base_values": NUMBERS,
    "best": NUMBER,
    "num_bad_epochs": STEP,
    "cooldown_counter": STEP,
    "begin": STEP,
    "end": STEP,
}
"""What changes while a schedule steps, and its ends; the rest must equal the configuration's."""


def require_optimizer_state(filename: str, state: Any, wrapper: Any, where: str) -> None:
    """Refuse a state that isn't that of the run's optimiser.

    Args:
        filename: The checkpoint.
        state: State dictionary of an optimiser wrapper, or several by name.
        wrapper: The run's wrapper.
        where: Place of the state in the checkpoint.

    Raises:
        UserError: Names the entry.
    """
    require(filename, where, state, PARTS)
    if not hasattr(wrapper, "optimizer"):  # several by name; that the names agree is seen later
        for name, one in wrapper.items():
            if name in state:
                require_optimizer_state(filename, state[name], one, f"{where}.{name}")
        return
    require(filename, f"{where}.param_groups", state.get("param_groups"), _GROUPS)
    require(filename, f"{where}.state", state.get("state"), _STATES)
    require(filename, where, state, SMALL)
    for name in ("loss_scaler", "base_param_settings"):
        if name in state:
            require(filename, f"{where}.{name}", state[name], PARTS)
    _require_groups(filename, state["param_groups"], wrapper.optimizer, where)
    _require_shapes(filename, state, wrapper.optimizer, where)


def _numbered(params: Any) -> bool:
    return isinstance(params, list) and all(map(is_whole, params))


def _require_groups(filename: str, groups: list, optimizer: Any, where: str) -> None:
    """Numbers where the run's optimiser has numbers."""
    for number, (old, new) in enumerate(zip(groups, optimizer.param_groups, strict=False)):
        for name, value in new.items():
            if name in old and NUMBER.admits(value):
                entry = f"{where}.param_groups.{number}.{name}"
                require(filename, entry, old[name], NUMBER)


def _require_shapes(filename: str, state: Mapping, optimizer: Any, where: str) -> None:
    numbers = [number for group in state["param_groups"] for number in group["params"]]
    params = [param for group in optimizer.param_groups for param in group["params"]]
    adam = isinstance(optimizer, (torch.optim.Adam, torch.optim.AdamW))
    for number, param in zip(numbers, params, strict=False):
        entries = state["state"].get(number, {})
        if adam and entries:
            require(filename, f"{where}.state.{number}", entries, _WHOLE_ADAM)
        for name, value in entries.items():
            if name in _LIKE_THE_PARAMETER:
                require(filename, f"{where}.state.{number}.{name}", value, _shaped(param))


def _shaped(param: torch.Tensor) -> Kind:
    shape = tuple(param.shape)
    return Kind(
        f"None or a tensor of shape {shape}",
        lambda v: v is None or isinstance(v, torch.Tensor) and tuple(v.shape) == shape,
    )


def require_schedule_states(filename: str, states: Any) -> None:
    """Refuse states of schedules that no schedule has; settings are compared elsewhere.

    Raises:
        UserError: Names the entry.
    """
    named = states if isinstance(states, Mapping) else {"": states}
    require(filename, "param_schedulers", named, PARTS)
    for name, several in named.items():
        where = f"param_schedulers.{one_line(name)}" if name else "param_schedulers"
        require(filename, where, several, _SCHEDULES)
        require(filename, where, several, SMALL)
        for number, state in enumerate(several):
            for entry, kind in _OF_SCHEDULES.items():
                if entry in state:
                    require(filename, f"{where}.{number}.{entry}", state[entry], kind)


def require_weights(filename: str, name: str, state: Any) -> None:
    """Refuse weights that aren't tensors by name.

    Raises:
        UserError: Names the entry.
    """
    require(filename, name, state, _WEIGHTS)


def require_averages(filename: str, averages: Any, weights: Mapping[str, Any]) -> None:
    """Refuse averaged weights of another model: MMEngine exchanges them one by one.

    Raises:
        UserError: Names the entry.
    """
    require_weights(filename, "ema_state_dict", averages)
    for name, value in averages.items():
        if name.startswith("module."):
            own = weights.get(name.removeprefix("module."))
            shape = "no such entry" if own is None else f"shape {tuple(own.shape)}"
            kind = Kind(f"like state_dict, which has {shape} there", _same_shape(own))
            require(filename, f"ema_state_dict.{one_line(name)}", value, kind)


def _same_shape(own: torch.Tensor | None) -> Callable[[Any], bool]:
    return lambda value: own is not None and value.shape == own.shape
