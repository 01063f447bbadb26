"""Command-line options of speed, and against it: results change by rounding at most."""

from __future__ import annotations

import copy
from argparse import ArgumentParser, Namespace
from typing import TYPE_CHECKING, Any

from mmreid_ext.errors import UserError
from mmreid_ext.image_loading import ImageSteps, steps_of, write_steps
from mmreid_ext.type_names import type_name

if TYPE_CHECKING:  # heavy; --help stays quick
    from mmengine.config import Config


def add_speed_arguments(parser: ArgumentParser) -> None:
    """Add ``--channels-last``, ``--compile``, ``--store-decoded`` and ``--deterministic``."""
    group = parser.add_argument_group("speed (docs/performance.md)")
    group.add_argument(
        "--channels-last", action="store_true", help="lay maps out in memory as (N, H, W, C)"
    )
    group.add_argument(
        "--compile", action="store_true", help="run the backbone through torch.compile"
    )
    group.add_argument(
        "--store-decoded",
        metavar="FOLDER",
        help="keep decoded and resized training images there; they are read instead of decoded",
    )
    group.add_argument(
        "--deterministic",
        action="store_true",
        help="take slower kernels that give the same bits in every run on a GPU",
    )


def apply_speed_arguments(cfg: Config, args: Namespace) -> None:
    """Write what :func:`add_speed_arguments` read into ``cfg``.

    Raises:
        ValueError: If a configuration can't follow.
    """
    if args.compile and (cfg.get("train_cfg") or {}).get("second_order"):
        raise UserError("--compile has no derivatives of second order: set second_order=False.")
    if args.channels_last:
        cfg.model.channels_last = True
    if args.compile:
        cfg.model.compile_backbone = True
    if args.store_decoded:
        store_decoded(cfg, args.store_decoded)
    if args.deterministic:
        cfg.randomness = dict(cfg.get("randomness") or {}, deterministic=True)


def store_decoded(cfg: Config, folder: str) -> None:
    """Let the loaders of the training images keep decoded and resized images in ``folder``.

    Args:
        cfg: Configuration whose training images are loaded by ``LoadResized``, or by
            ``LoadImageFromFile`` before ``Resize``; changed in place.
        folder: Store of :class:`mmreid_ext.datasets.transforms.LoadResized`.

    Raises:
        ValueError: If training images are loaded otherwise, or if there are none.
    """
    loaders = [cfg.get("train_dataloader"), (cfg.get("train_cfg") or {}).get("meta_dataloader")]
    found = [_store_in(loader["dataset"], folder) for loader in loaders if _has_dataset(loader)]
    if not any(found):
        raise UserError("--store-decoded: the configuration has no training pipeline to change.")


def _has_dataset(loader: Any) -> bool:
    return isinstance(loader, dict) and isinstance(loader.get("dataset"), dict)


def _store_in(dataset: dict, folder: str) -> bool:
    """Change the pipelines of a data set and of those that it wraps; whether there are any."""
    inner = [dataset.get("dataset"), *(dataset.get("datasets") or dataset.get("sources") or ())]
    found = [_store_in(one, folder) for one in inner if isinstance(one, dict)]
    steps = steps_of(dataset)
    if steps.loader is not None:
        write_steps(dataset, _with_store(steps, folder))
        return True
    return any(found)


def _with_store(steps: ImageSteps, folder: str) -> ImageSteps:
    loader, transforms = steps
    if type_name(loader["type"]) == "LoadResized":
        load = copy.copy(loader)  # a ConfigDict keeps its classes in a form that can be dumped
        load["store"] = folder
        return ImageSteps(load, transforms)
    names = [type_name(step["type"]) for step in (loader, *transforms[:1])]
    if names != ["LoadImageFromFile", "Resize"] or len(loader) > 1:
        raise UserError(
            "--store-decoded needs training images that are loaded by LoadResized, or by "
            "dict(type='LoadImageFromFile') before Resize; here loading begins with "
            f"{[loader, *transforms[:1]]}."
        )
    resize = {key: value for key, value in transforms[0].items() if key != "type"}
    if not set(resize) <= {"scale", "interpolation"} or isinstance(resize.get("scale"), int):
        raise UserError(f"--store-decoded can't follow {transforms[0]}: give `scale` two numbers.")
    resize.setdefault("interpolation", "bilinear")  # that of MMPretrain's Resize
    return ImageSteps(dict(type="mmreid_ext.LoadResized", store=folder, **resize), transforms[1:])
