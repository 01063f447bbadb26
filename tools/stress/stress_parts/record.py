"""What a run computed, bit for bit: losses of iterations, results of validations, its end."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import torch
from mmengine.hooks import Hook
from mmengine.runner import Runner

from mmreid_ext.checkpoint.plain import to_plain


class Record(Hook):
    """Write a line for every iteration and validation before its checkpoint, and a file at the end.

    Only rank 0 writes lines, each by one system call: a killed process leaves whole lines. Every
    rank writes what it holds at the end.

    Args:
        path: File of the record; lines are added. ``NAME.end0.pth`` beside it is the end of rank 0.
    """

    def __init__(self, path: Path) -> None:
        self.path = path

    def after_train_iter(
        self, runner: Runner, batch_idx: int, data_batch: Any = None, outputs: Any = None
    ) -> None:
        """Write the losses."""
        self._write(runner, "iteration", runner.iter + 1, outputs or {})

    def after_val_epoch(self, runner: Runner, metrics: dict | None = None) -> None:
        """Write the results."""
        self._write(runner, "validation", runner.iter, metrics or {})

    def after_train(self, runner: Runner) -> None:
        """Write weights, memories, moments, schedules and histories."""
        schedules = [one.state_dict() for one in runner.param_schedulers]
        hub = runner.message_hub.state_dict()
        state = dict(
            state_dict=getattr(runner.model, "module", runner.model).state_dict(),
            optimizer=runner.optim_wrapper.state_dict(),
            param_schedulers=schedules,
            message_hub={k: dict(hub[k]) for k in ("log_scalars", "runtime_info")},
        )
        torch.save(to_plain(state), end_of(self.path, runner.rank))

    def _write(self, runner: Runner, kind: str, number: int, values: dict) -> None:
        if runner.rank != 0:
            return
        exact = {name: _exact(value) for name, value in values.items()}
        line = json.dumps(dict(kind=kind, number=number, values=exact)) + "\n"
        descriptor = os.open(self.path, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
        try:
            os.write(descriptor, line.encode())
        finally:
            os.close(descriptor)


class Progress(Hook):
    """Tell the parent process where rank 0 begins, and what it has wholly finished.

    Args:
        events: Pipe to the parent.
    """

    def __init__(self, events: Any) -> None:
        self.events = events

    def before_train(self, runner: Runner) -> None:
        """Say where a run begins or continues."""
        if runner.rank == 0:
            self.events.send(("began", runner.iter))

    def after_train_iter(self, runner: Runner, batch_idx: int, *_: Any, **__: Any) -> None:
        """Say that all other hooks have run: the iteration's checkpoint was asked for."""
        if runner.rank == 0:
            self.events.send(("iteration", runner.iter + 1))


def end_of(record: Path, rank: int) -> Path:
    """Return the file of what a rank held at the end."""
    return record.with_suffix(f".end{rank}.pth")


def _exact(value: Any) -> str:
    if isinstance(value, torch.Tensor):
        return " ".join(float(one).hex() for one in value.detach().double().flatten())
    return float(value).hex()


def read(path: Path) -> dict[tuple[str, int], list[dict]]:
    """Return what was recorded for each iteration and validation, once for each time it ran."""
    found: dict[tuple[str, int], list[dict]] = {}
    for line in path.read_text().splitlines() if path.exists() else ():
        one = json.loads(line)
        found.setdefault((one["kind"], one["number"]), []).append(one["values"])
    return found


def differences(path: Path, expected: Path) -> list[str]:
    """Compare the record of an interrupted run with that of an undisturbed one.

    Returns:
        A line for each iteration and validation that differs, is missing or is too much.
    """
    found, wanted = read(path), read(expected)
    lines = [f"{kind} {number} is missing" for kind, number in sorted(wanted.keys() - found.keys())]
    lines += [f"{kind} {number} is extra" for kind, number in sorted(found.keys() - wanted.keys())]
    for key in sorted(found.keys() & wanted.keys()):
        if any(values != wanted[key][0] for values in found[key]):
            lines.append(f"{key[0]} {key[1]} differs")
    return lines
