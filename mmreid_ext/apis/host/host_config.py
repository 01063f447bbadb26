"""Write our configurations in the form that MMPretrain's inferencers read."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from typing import Any

from mmengine.config import Config

from mmreid_ext.image_loading import ImageSteps, evaluation_steps, only_decodes
from mmreid_ext.type_names import type_name

_DECODE = {"type": "LoadImageFromFile"}  # MMPretrain looks for the bare name


def in_host_form(cfg: Config) -> Config:
    """Return a configuration whose test pipeline holds all steps from the file to the model.

    MMPretrain's inferencers replace the transform ``LoadImageFromFile`` by their own reading and
    know no ``loader``; they would leave out the resizing. The pictures are those of our tests, bit
    for bit. A loader of somebody else stays as it is.

    Args:
        cfg: Is not changed.
    """
    changed = copy.deepcopy(cfg)
    steps = evaluation_steps(cfg)
    pipeline = None if steps is None else _pipeline(steps)
    for name in ("test_dataloader", "val_dataloader"):
        if pipeline is not None and changed.get(name):
            changed[name].dataset.update(loader=None, pipeline=pipeline)
    return changed


def _pipeline(steps: ImageSteps) -> list[Any] | None:
    """Decoding, resizing and transforms in one list; None with a loader of somebody else."""
    transforms = copy.deepcopy(steps.transforms)
    if only_decodes(steps.loader):
        return [dict(_DECODE), *transforms]
    loader = steps.loader
    if not isinstance(loader, Mapping) or type_name(loader["type"]) != "LoadResized":
        return None
    resize = dict(
        type="mmpretrain.Resize",
        scale=tuple(loader["scale"]),
        interpolation=loader.get("interpolation", "bicubic"),
    )
    return [dict(_DECODE), resize, *transforms]
