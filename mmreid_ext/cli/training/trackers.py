"""Options that show a training in TensorBoard, MLflow or Weights & Biases."""

from __future__ import annotations

import importlib.util
from argparse import ArgumentParser, Namespace
from pathlib import Path
from typing import TYPE_CHECKING

from mmreid_ext.errors import MissingPackageError

if TYPE_CHECKING:  # heavy; --help stays quick
    from mmengine.config import Config

PACKAGES = {"tensorboard": "tensorboard", "mlflow": "mlflow", "wandb": "wandb"}
"""Package that each option needs; the extra of this package has the name of the option."""

DEFAULT = ""
"""Value of ``--mlflow`` and ``--wandb`` without an address or a project."""


def add_tracker_arguments(parser: ArgumentParser) -> None:
    """Add ``--tensorboard``, ``--mlflow`` and ``--wandb``."""
    group = parser.add_argument_group("watching (docs/watching.md)")
    group.add_argument(
        "--tensorboard",
        action="store_true",
        help="write scalars, gates, ranked lists and embeddings for TensorBoard",
    )
    group.add_argument(
        "--mlflow",
        nargs="?",
        const=DEFAULT,
        metavar="URI",
        help="record a run of MLflow there (default: MLFLOW_TRACKING_URI, else MLflow's own)",
    )
    group.add_argument(
        "--wandb",
        nargs="?",
        const=DEFAULT,
        metavar="PROJECT",
        help="record a run of Weights & Biases (default: the configuration's name)",
    )


def apply_tracker_arguments(cfg: Config, args: Namespace) -> None:
    """Add the backends to those of the visualizer, which keep their JSON files.

    Args:
        cfg: Configuration with its ``work_dir``, changed in place.
        args: What :func:`add_tracker_arguments` read.

    Raises:
        MissingPackageError: If a package is not installed.
    """
    name = Path(args.config).stem
    run = Path(cfg.work_dir).name
    backends: list[dict[str, str | None]] = []
    if args.tensorboard:
        backends.append(dict(type="mmreid_ext.TensorboardTracker"))
    if args.mlflow is not None:
        address = args.mlflow or None
        backends.append(
            dict(
                type="mmreid_ext.MLflowTracker", experiment=name, run_name=run, tracking_uri=address
            )
        )
    if args.wandb is not None:
        project = args.wandb or name
        backends.append(dict(type="mmreid_ext.WandbTracker", project=project, run_name=run))
    for option, package in PACKAGES.items():
        if getattr(args, option) not in (None, False):
            require_package(option, package)
    if not backends:
        return
    visualizer = cfg.get("visualizer") or dict(type="UniversalVisualizer")
    present = visualizer.get("vis_backends") or [dict(type="LocalVisBackend")]
    visualizer["vis_backends"] = [*(present if isinstance(present, list) else [present]), *backends]
    cfg.visualizer = visualizer


def require_package(option: str, package: str) -> None:
    """Check that a package can be imported, without importing it.

    Raises:
        MissingPackageError: If it can't.
    """
    if importlib.util.find_spec(package) is None:
        raise MissingPackageError(
            f"--{option}: the package {package!r} is not installed; run pip install {package} "
            f'(or pip install "mmreid_ext[{option}]").'
        )
