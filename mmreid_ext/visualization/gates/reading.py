"""Read the gates of batch-instance norms from checkpoints, or their means from a log."""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np

from mmreid_ext.checkpoint.weights import read_checkpoint, state_of
from mmreid_ext.errors import MissingFileError, UserError
from mmreid_ext.shorten import one_line
from mmreid_ext.stage_names import stage_of
from mmreid_ext.visualization.run_logs.logged_values import RunLog

_NUMBERED = re.compile(r"(?P<axis>iter|epoch)_(?P<number>\d{1,15})\.pth")
_LOGGED = re.compile(r"gate/(?P<stage>[^/]+)/mean")
_AXES = {"iter": "iteration", "epoch": "epoch"}


class Gates(NamedTuple):
    """All gates of a network.

    Attributes:
        source: Name of the checkpoint.
        at: Its iteration or epoch by its name, or None.
        layers: By the layer's name in the model, in the order of the model, each (C,) float64.
            1 is batch norm alone, 0 instance norm alone.
    """

    source: str
    at: int | None
    layers: dict[str, np.ndarray]


class Course(NamedTuple):
    """Mean gates over a training.

    Attributes:
        at: Iterations or epochs, (T,), rising.
        axis: Which of the two.
        names: Of L layers, or of L stages where a log has no more.
        stages: Stage of each, (L,).
        means: Shape (L, T).
    """

    at: np.ndarray
    axis: str
    names: list[str]
    stages: list[str]
    means: np.ndarray


def read_gates(checkpoint: str | os.PathLike) -> Gates:
    """Read the gates of a checkpoint, of which nothing is executed.

    A batch-instance norm is known by its weights: ``gate`` beside ``in_weight`` and
    ``running_mean``.

    Raises:
        MissingFileError: If there is no such file.
        UserError: If it holds no weights, no such norm, or a gate that isn't finite.
    """
    name = one_line(os.path.basename(checkpoint))
    state = state_of(read_checkpoint(checkpoint), checkpoint)
    layers = {}
    for key, value in state.items():
        layer = key.removesuffix(".gate")
        if layer != key and {f"{layer}.in_weight", f"{layer}.running_mean"} <= state.keys():
            layers[layer] = value.double().flatten().numpy()
    if not layers:
        raise UserError(
            f"{one_line(checkpoint)} has no batch-instance norm, so it has no gates; give a "
            "checkpoint of a network with norm_cfg=dict(type='mmreid_ext.BIN')."
        )
    for layer, gates in layers.items():
        if not len(gates) or not np.isfinite(gates).all():
            raise UserError(
                f"{one_line(checkpoint)}: the gates of {one_line(layer)} are empty or not finite, "
                "must be numbers; give another checkpoint."
            )
    numbered = _NUMBERED.fullmatch(Path(checkpoint).name)
    return Gates(name, int(numbered["number"]) if numbered else None, layers)


def numbered_checkpoints(folder: Path) -> list[Path]:
    """Return ``iter_N.pth`` of a work folder in order; ``epoch_N.pth`` if there are more of them.

    Raises:
        MissingFileError: If it has none.
    """
    found: dict[str, list[tuple[int, Path]]] = {"iter": [], "epoch": []}
    for path in folder.iterdir() if folder.is_dir() else ():
        if numbered := _NUMBERED.fullmatch(path.name):
            found[numbered["axis"]].append((int(numbered["number"]), path))
    chosen = max(found.values(), key=len)
    if not chosen:
        raise MissingFileError(
            f"{one_line(folder)} has no checkpoint iter_N.pth or epoch_N.pth; give a checkpoint, "
            "or the work folder of a training."
        )
    return [path for _, path in sorted(chosen)]


def read_course(checkpoints: Sequence[Path]) -> tuple[list[Gates], Course]:
    """Read several checkpoints of one training.

    Args:
        checkpoints: From :func:`numbered_checkpoints`.

    Raises:
        UserError: If one has other layers than the first.
    """
    read = [read_gates(path) for path in checkpoints]
    names = list(read[0].layers)
    for gates in read:
        if list(gates.layers) != names:
            raise UserError(
                f"{gates.source} has other batch-instance norms than {read[0].source}; give a "
                "folder with the checkpoints of one network."
            )
    means = np.array([[gates.layers[name].mean() for gates in read] for name in names])
    numbered = _NUMBERED.fullmatch(checkpoints[0].name)
    axis = _AXES[numbered["axis"]] if numbered else "checkpoint"
    at = np.array([n if gates.at is None else gates.at for n, gates in enumerate(read)], float)
    return read, Course(at, axis, names, [stage_of(name) for name in names], means)


def read_logged_course(log: RunLog) -> Course:
    """Return the mean gates by stage that a training has logged.

    Raises:
        UserError: If it has logged none.
    """
    series = {m["stage"]: log.series[key] for key in log.series if (m := _LOGGED.fullmatch(key))}
    if not series:
        raise UserError(
            f"{log.name} has logged no gates ('gate/STAGE/mean'); give the work folder of a "
            "MetaBIN training."
        )
    at = next(iter(series.values())).at
    for one in series.values():
        at = np.intersect1d(at, one.at)
    means = np.array([one.values[np.searchsorted(one.at, at)] for one in series.values()])
    return Course(at, log.axis, list(series), list(series), means)
