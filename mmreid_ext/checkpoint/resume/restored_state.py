"""Settings of optimisers and schedules that a checkpoint brings along, against those of a run.

Both are restored with their settings: learning rate, decay and milestones of the checkpoint replace
those of the configuration. So a difference means that the configuration would be ignored.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from mmreid_ext.checkpoint.plain import to_plain

from .run_record import changes, flatten

_IMPLEMENTATION = ("params", "foreach", "fused", "capturable", "differentiable")
"""Entries of a parameter group that don't change what is computed."""

_PROGRESS = (
    "last_step",
    "_global_step",
    "_last_value",
    "base_values",
    "best",
    "num_bad_epochs",
    "cooldown_counter",
    "verbose",
)
"""Entries of a schedule's state that change as it steps."""


class End(NamedTuple):
    """The end of a schedule, if it is later or earlier than in the checkpoint."""

    schedule: Any
    end: int


def optimizer_changes(before: Mapping[str, Any], now: Mapping[str, Any]) -> list[str]:
    """Say how the settings of an optimiser differ from the checkpoint's.

    Args:
        before: State dictionary of an optimiser wrapper, or several by name.
        now: The same of the run.
    """
    if "param_groups" not in now:
        if set(before) != set(now):
            return [f"the optimisers were {sorted(before)}, are {sorted(now)}"]
        return [text for name in now for text in optimizer_changes(before[name], now[name])]
    groups = before.get("param_groups", ())
    sizes = [[len(group["params"]) for group in some] for some in (groups, now["param_groups"])]
    if sizes[0] != sizes[1]:
        return [f"numbers of tensors in the optimiser's groups were {sizes[0]}, are {sizes[1]}"]
    if ("loss_scaler" in before) != ("loss_scaler" in now):
        return ["optim_wrapper: gradients are scaled (float16) in one of the two runs only"]
    found: list[str] = []
    for old, new in zip(groups, now["param_groups"], strict=True):
        found += [text for text in _group_changes(old, new) if text not in found]
    return found


def schedule_changes(before: Any, schedules: Any) -> tuple[list[str], list[End]]:
    """Say how the settings of schedules differ from the checkpoint's.

    Where only the end differs (it is the length of the run unless written) and neither is reached,
    the schedule did up to now what it would have done with its new end; so that one is taken.

    Args:
        before: State dictionaries in the checkpoint: a list, or lists by name of the optimiser.
        schedules: Schedules of the run, alike; None for none.

    Returns:
        Differences, and ends that are to be set after the states were loaded.
    """
    old, new = dict(_numbered(before)), dict(_numbered(schedules))
    if old.keys() != new.keys():
        return [f"param_scheduler: the run had {len(old)} schedules, there are {len(new)} now"], []
    found: list[str] = []
    ends = []
    for name, schedule in new.items():
        was, now = _settings(old[name]), _settings(schedule.state_dict())
        if was != now and _only_the_end_to_come_differs(was, now, old[name]):
            ends.append(End(schedule, schedule.end))
        else:
            found += changes(flatten(was, name), flatten(now, name))
    return found, ends


def _only_the_end_to_come_differs(was: dict, now: dict, state: Mapping[str, Any]) -> bool:
    same = {**was, "end": 0} == {**now, "end": 0}
    return same and state.get("_global_step", 0) < min(was["end"], now["end"])


def _group_changes(old: Mapping[str, Any], new: Mapping[str, Any]) -> list[str]:
    lacking = [key for key in new if key not in old and not key.startswith("initial_")]
    if lacking and any(key not in new for key in old if not key.startswith("initial_")):
        return [f"the optimiser is another one: the checkpoint knows no {', '.join(lacking)}"]
    was, now = _hyper_parameters(old), _hyper_parameters(new)
    both = [key for key in now if key in was]
    return [
        f"optim_wrapper.optimizer.{text}"
        for text in changes(
            flatten({key: was[key] for key in both}), flatten({key: now[key] for key in both})
        )
    ]


def _hyper_parameters(group: Mapping[str, Any]) -> dict[str, Any]:
    """Settings of a group as they were before any schedule changed them."""
    found = {k: v for k, v in group.items() if k not in _IMPLEMENTATION}
    for key in list(found):
        name = key.removeprefix("initial_")
        if name != key:
            found[name] = found.pop(key)
    if "initial_momentum" in group:  # Adam keeps the scheduled momentum in its betas
        found.pop("betas", None)
    return found


def _numbered(schedules: Any) -> Iterator[tuple[str, Any]]:
    if isinstance(schedules, Mapping):
        for name, several in schedules.items():
            for number, one in enumerate(several):
                yield f"param_scheduler.{name}.{number}", one
    else:
        for number, one in enumerate(schedules or ()):
            yield f"param_scheduler.{number}", one


def _settings(state: Mapping[str, Any]) -> dict[str, Any]:
    kept = {k: v for k, v in state.items() if k not in _PROGRESS and not callable(v)}
    return {k: _lists(v) for k, v in to_plain(kept).items()}


def _lists(value: Any) -> Any:
    """Tuples as lists: a file keeps the difference, a configuration doesn't."""
    if isinstance(value, Mapping):
        return {key: _lists(item) for key, item in value.items()}
    return [_lists(item) for item in value] if isinstance(value, (list, tuple)) else value
