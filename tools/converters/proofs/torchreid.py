"""Networks of torchreid, by a clone of its repository or its package."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

from torch import Tensor, nn

from .side_by_side import Case

CLONE = "deep-person-reid"


def load_file(path: Path) -> ModuleType:
    """Import one file of a clone, without the package around it."""
    spec = importlib.util.spec_from_file_location(f"foreign_{path.stem}", path)
    if spec is None or spec.loader is None:
        raise ImportError(f"{path} is no module")
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


def _embed(net: nn.Module, images: Tensor) -> Tensor:
    return net(images)


def cases(sources: Path) -> dict[str, Case]:
    """Return the networks by name."""
    models = sources / CLONE / "torchreid" / "models"

    def case(file: str, name: str, controls: dict[str, Any]) -> Case:
        def build() -> nn.Module:
            return getattr(load_file(models / f"{file}.py"), name)(
                751, loss="softmax", pretrained=False
            )

        return Case(build, _embed, "torchreid", (256, 128), controls)

    resnet: dict[str, Any] = {
        "no ReLU in the stem": {"stem_relu": False},
        "stem pooled without padding": {"stem_pool": "ceil"},
    }
    pool = {"stem pooled without padding": {"stem_pool": "ceil"}}
    return {
        "torchreid osnet_x1_0": case("osnet", "osnet_x1_0", pool),
        "torchreid osnet_x0_25": case("osnet", "osnet_x0_25", pool),
        "torchreid osnet_ibn_x1_0": case("osnet", "osnet_ibn_x1_0", pool),
        "torchreid osnet_ain_x1_0": case("osnet_ain", "osnet_ain_x1_0", pool),
        "torchreid osnet_ain_x0_25": case("osnet_ain", "osnet_ain_x0_25", pool),
        "torchreid resnet50": case(
            "resnet", "resnet50", {**resnet, "last stride 1": {"backbone.strides": (1, 2, 2, 1)}}
        ),
        "torchreid resnet50_fc512": case(
            "resnet",
            "resnet50_fc512",
            {**resnet, "last stride 2": {"backbone.strides": (1, 2, 2, 2)}},
        ),
        "torchreid mobilenetv2_x1_0": case(
            "mobilenetv2", "mobilenetv2_x1_0", {"last stride 1": {"backbone.last_stride": 1}}
        ),
        "torchreid mobilenetv2_x1_4": case(
            "mobilenetv2", "mobilenetv2_x1_4", {"last stride 1": {"backbone.last_stride": 1}}
        ),
    }
