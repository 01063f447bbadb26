"""Start a training from a file of weights: ``--init-weights``."""

from __future__ import annotations

import argparse
import os
from typing import TYPE_CHECKING

from mmreid_ext.errors import MissingFileError, UserError

if TYPE_CHECKING:  # heavy; --help stays quick
    from mmengine.config import Config


def add_init_weights_argument(parser: argparse.ArgumentParser) -> None:
    """Add ``--init-weights``."""
    parser.add_argument(
        "--init-weights",
        metavar="FILE",
        help="weights that the backbone starts from, in place of a download: a file of "
        "torchvision, timm, or this package",
    )


def apply_init_weights(cfg: Config, args: argparse.Namespace) -> None:
    """Let the backbone start from the file of ``--init-weights``, if it is given.

    Raises:
        UserError: If there is no such file, or other settings would overwrite its weights.
    """
    path = args.init_weights
    if path is None:
        return
    if not os.path.isfile(path):
        raise MissingFileError(f"--init-weights {path}: no such file.")
    backbone = (cfg.get("model") or {}).get("backbone")
    if not isinstance(backbone, dict):
        raise UserError("--init-weights: the configuration has no model.backbone to start from it.")
    if cfg.get("resume") or cfg.get("load_from"):
        other = "--resume" if cfg.get("resume") else f"load_from={cfg.load_from}"
        raise UserError(
            f"--init-weights {path}: {other} would overwrite these weights; leave one of them out."
        )
    backbone["init_cfg"] = dict(type="Pretrained", checkpoint=os.path.abspath(path))
