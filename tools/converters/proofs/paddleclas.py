"""Networks of PaddleClas, by a clone of its repository and another environment that has Paddle.

The environment variable ``PADDLE_PYTHON`` names its interpreter; it needs paddlepaddle, PyYAML,
six, requests, tqdm and opencv-python-headless.
"""

from __future__ import annotations

import os
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from .side_by_side import Both, Case

CLONE = "PaddleClas"
CALL = """
import sys
sys.path.insert(0, sys.argv[1])
import paddle_side
paddle_side.run(*sys.argv[2:])
"""


def cases(sources: Path) -> dict[str, Case]:
    """Return the networks by name."""
    python = os.environ["PADDLE_PYTHON"]

    def case(config: str, controls: Mapping[str, Any], protocol: int = 4) -> Case:
        def outside(folder: Path, images: Tensor) -> tuple[Path, Both]:
            np.save(folder / "images.npy", images.numpy())
            arguments = [sources / CLONE, config, folder / "images.npy", folder, protocol]
            command = [python, "-c", CALL, str(Path(__file__).parent), *map(str, arguments)]
            subprocess.run(command, check=True, capture_output=True)
            found = (np.load(folder / f"{one}.npy") for one in ("float64", "float32"))
            return folder / "net.pdparams", Both(*map(torch.from_numpy, found))

        return Case(_nothing, _nothing, "paddleclas", (128, 64), controls, outside)

    pool = {"stem pooled without padding": {"stem_pool": "ceil"}}
    no_relu = {"no ReLU in the stem": {"stem_relu": False}, **pool}
    relu = {"a ReLU in the stem": {"stem_relu": True}, **pool}
    one = {"last stride 1": {"backbone.strides": (1, 2, 2, 1)}}
    # Another stride has another shortcut in a ResNet-D, which the weights don't fit.
    dilated = {"last stage dilated": {"backbone.dilations": (1, 1, 1, 2)}}
    two = {"last stride 2": {"backbone.strides": (1, 2, 2, 2)}}
    return {
        "PaddleClas MetaBIN ResNet-50": case(
            "reid/MetaBIN_ResNet50_cross_domain.yaml", {**no_relu, **two}
        ),
        "PaddleClas strong baseline": case(
            "reid/strong_baseline/softmax_triplet.yaml", {**relu, **two}
        ),
        "PaddleClas strong baseline, protocol 2": case(
            "reid/strong_baseline/softmax_triplet.yaml", {**relu, **two}, 2
        ),
        "PaddleClas baseline": case("reid/strong_baseline/baseline.yaml", {**relu, **one}),
        "PaddleClas XBM": case("metric_learning/xbm_resnet50.yaml", {**relu, **one}),
        "PaddleClas ResNet-50-vd, ArcMargin": case("Products/ResNet50_vd_SOP.yaml", dilated),
    }


def _nothing(*_: Any) -> Any:
    """Stand for what happens in the other process."""
