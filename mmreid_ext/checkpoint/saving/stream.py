"""Stream a checkpoint into its file, without a second copy of it in memory."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import IO, Any, cast

import torch

from mmreid_ext.checkpoint.plain import to_plain
from mmreid_ext.output_files.atomic import atomic_open


def plain_checkpoint(checkpoint: Any) -> Any:
    """Return a checkpoint in plain types; its tensors are shared, all else is copied.

    The functions in its schedules' states (``OneCycleLR`` keeps one) are left out: the schedule
    that a resumed run builds has them anyway.
    """
    states = checkpoint.get("param_schedulers") if isinstance(checkpoint, Mapping) else None
    if states:
        checkpoint = {**checkpoint, "param_schedulers": _without_functions(states)}
    return to_plain(checkpoint)


def write_checkpoint(plain: Any, path: str | os.PathLike) -> None:
    """Write a checkpoint whole or not at all.

    Args:
        plain: See :func:`plain_checkpoint`.
        path: The file; its folder is made.

    Raises:
        OSError: As the system gave it. ``path`` is as it was then.
    """
    Path(path).parent.mkdir(parents=True, exist_ok=True)
    with atomic_open(path, "wb") as file:
        patient = PatientFile(file)
        torch.save(plain, cast(IO[bytes], patient))
        if patient.error is not None:
            raise patient.error


class PatientFile:
    """A file that keeps the first error of writing for later.

    PyTorch's writer hides an error behind one of its own, and can end the process over it.

    Args:
        file: An open binary file.

    Attributes:
        error: The first error; nothing was written after it.
    """

    def __init__(self, file: IO[bytes]) -> None:
        self.file = file
        self.error: OSError | None = None

    def write(self, data: Any) -> int:
        """Write, or pretend to after an error; return the number of bytes."""
        if self.error is None:
            try:
                self.file.write(data)
            except OSError as error:
                self.error = error
        return memoryview(data).nbytes

    def flush(self) -> None:
        """Do nothing: the file is flushed when it is complete."""


def _without_functions(value: Any) -> Any:
    if isinstance(value, list):
        return [_without_functions(item) for item in value]
    if isinstance(value, Mapping):
        return {k: _without_functions(item) for k, item in value.items() if not callable(item)}
    return value
