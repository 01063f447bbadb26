"""Give a run another length, and its schedules with it: ``--iters`` and ``--epochs``.

A training is cut to a tenth by a tenth of its iterations, and by a tenth of its warm-up, of its
milestones, of the time until the memory of past embeddings begins, and so on. Else a short trial
ends inside the warm-up.
"""

from __future__ import annotations

from argparse import ArgumentParser, Namespace
from collections.abc import Callable, MutableMapping, Sequence
from typing import TYPE_CHECKING, Any

from mmreid_ext.errors import UserError

if TYPE_CHECKING:  # heavy; --help stays quick
    from mmengine.config import Config

_LENGTHS = {"iters": "max_iters", "epochs": "max_epochs"}
"""Option and the key of ``train_cfg`` that it stands for."""

_WITHOUT_END = 10**9
"""MMEngine's ``end`` of a schedule that never ends."""

_SCHEDULE_MARKS = ("begin", "end", "step_size", "total_steps")
_SCHEDULE_LISTS = ("milestones", "periods")

_SHORTEST_WARM_UP = 2
"""Steps of the shortest schedule with a ``start_factor``: one at the start, one at the end."""

_DEFAULT_PERIOD = 725
"""Period of the inner ratio of ``MetaBINTrainLoop`` where the configuration gives none."""

_LOGGED_AT_LEAST = 5
"""Lines in the log of a run of iterations, however short."""


def add_length_arguments(parser: ArgumentParser) -> None:
    """Add ``--iters`` and ``--epochs``."""
    group = parser.add_mutually_exclusive_group()
    group.add_argument(
        "--iters",
        type=int,
        metavar="N",
        help="train N iterations; warm-up, milestones, validations and so on move in proportion",
    )
    group.add_argument(
        "--epochs", type=int, metavar="N", help="the same for a configuration that counts epochs"
    )


def apply_length_arguments(cfg: Config, args: Namespace) -> str:
    """Change the length of a run in a configuration, in place.

    Args:
        cfg: The configuration of a training.
        args: ``iters`` and ``epochs``, None where not given.

    Returns:
        What changed, in a sentence; empty if nothing did.

    Raises:
        UserError: If the number is below 1, or the configuration counts the other unit.
    """
    unit = next((unit for unit in _LENGTHS if getattr(args, unit) is not None), None)
    if unit is None:
        return ""
    length = getattr(args, unit)
    if length < 1:
        raise UserError(f"--{unit} {length}: a run has at least 1; give a greater number.")
    train_cfg = cfg.get("train_cfg") or {}
    before = train_cfg.get(_LENGTHS[unit])
    if before is None:
        other = next((u for u, key in _LENGTHS.items() if train_cfg.get(key)), None)
        remedy = f"give --{other}" if other else "its train_cfg gives no length; set it there"
        raise UserError(f"--{unit} {length}: the configuration counts no {unit}; {remedy}.")
    if length == before:
        return ""
    _Scaling(before, length).apply(cfg, _LENGTHS[unit])
    return (
        f"{length:,} {unit} in place of {before:,}; schedules, validations and checkpoints move in "
        "proportion"
    )


class _Scaling:
    """Move the marks of a run from one length to another.

    Args:
        before: Length that the configuration was written for.
        after: Its new length.
    """

    def __init__(self, before: int, after: int) -> None:
        self.before, self.after = before, after

    def apply(self, cfg: Config, key: str) -> None:
        """Change a configuration in place; ``key`` of ``train_cfg`` is its length."""
        train_cfg = cfg.train_cfg
        train_cfg[key] = self.after
        if key in cfg:  # a variable of the file, from which the others were computed
            cfg[key] = self.after
        self._move_loop(train_cfg)
        self._move_schedules(_all_schedules(cfg.get("param_scheduler")))
        for hook in [*(cfg.get("default_hooks") or {}).values(), *(cfg.get("custom_hooks") or ())]:
            if isinstance(hook, MutableMapping):
                self._move(hook, ("begin_iter", "begin_epoch", "save_begin"), least=0)
        hooks = cfg.get("default_hooks") or {}
        checkpoint, logger = hooks.get("checkpoint"), hooks.get("logger")
        if isinstance(checkpoint, MutableMapping):
            self._move(checkpoint, ("interval",))
        if isinstance(logger, MutableMapping) and key == "max_iters" and "interval" in logger:
            logger["interval"] = min(logger["interval"], max(1, self.after // _LOGGED_AT_LEAST))
        _visit(cfg.get("model"), lambda part: self._move(part, ("start_iter",), least=0))

    def _move_loop(self, train_cfg: MutableMapping[str, Any]) -> None:
        self._move(train_cfg, ("val_interval", "val_begin"))
        changes = train_cfg.get("dynamic_intervals")
        if changes:
            train_cfg["dynamic_intervals"] = [
                (self._moved(begin, 0), self._moved(interval, 1)) for begin, interval in changes
            ]
        kind = train_cfg.get("type")
        if "inner_ratio" in train_cfg or str(getattr(kind, "__name__", kind)).endswith(
            "MetaBINTrainLoop"
        ):
            ratio = dict(train_cfg.get("inner_ratio") or {})
            ratio["period"] = self._moved(ratio.get("period", _DEFAULT_PERIOD), 2)
            train_cfg["inner_ratio"] = ratio

    def _move_schedules(self, schedules: Sequence[MutableMapping[str, Any]]) -> None:
        """Warm-ups first: what begins where one ends still does after it was rounded."""
        ends: dict[int, int] = {}
        for schedule in sorted(schedules, key=lambda schedule: "start_factor" not in schedule):
            self._move_schedule(schedule, ends)

    def _move_schedule(self, schedule: MutableMapping[str, Any], ends: dict[int, int]) -> None:
        begin, end, half = (schedule.get(name) for name in ("begin", "end", "T_max"))
        self._move(schedule, _SCHEDULE_MARKS)
        for name in _SCHEDULE_LISTS:
            if schedule.get(name):
                schedule[name] = [self._moved(mark, 1) for mark in schedule[name]]
        if begin:
            # at least its first step lies in the run
            last = max(0, self.after - 1)
            schedule["begin"] = min(ends.get(begin, schedule["begin"]), last)
        start = schedule.get("begin", 0)
        if isinstance(half, int):  # its end moves, not its length: begin was rounded, too
            schedule["T_max"] = max(1, self._moved((begin or 0) + half, 1) - start)
        if isinstance(end, int):
            by_iteration = "start_factor" in schedule and not schedule.get("convert_to_iter_based")
            span = _SHORTEST_WARM_UP if by_iteration else 1
            schedule["end"] = max(schedule["end"], start + span)
            if "start_factor" in schedule:
                ends[end] = schedule["end"]

    def _move(self, part: MutableMapping[str, Any], names: Sequence[str], least: int = 1) -> None:
        for name in names:
            value = part.get(name)
            if isinstance(value, int) and not isinstance(value, bool) and value > 0:
                part[name] = self._moved(value, least)

    def _moved(self, mark: int, least: int) -> int:
        if mark >= _WITHOUT_END:
            return mark
        return max(least, (2 * mark * self.after + self.before) // (2 * self.before))


def _all_schedules(value: Any) -> list[MutableMapping[str, Any]]:
    """List the schedules of all optimisers."""
    if isinstance(value, MutableMapping):
        if "type" in value:
            return [value]
        return [schedule for part in value.values() for schedule in _all_schedules(part)]
    if isinstance(value, Sequence) and not isinstance(value, str):
        return [schedule for part in value for schedule in _all_schedules(part)]
    return []


def _visit(value: Any, change: Callable[[MutableMapping[str, Any]], None]) -> None:
    """Call ``change`` with every dict in nested settings."""
    if isinstance(value, MutableMapping):
        change(value)
        for part in value.values():
            _visit(part, change)
    elif isinstance(value, (list, tuple)):
        for part in value:
            _visit(part, change)
