"""Networks of reid-strong-baseline, by a clone of its repository."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

from torch import Tensor

from .side_by_side import Case

CLONE = "reid-strong-baseline"


def _embed(net: Any, images: Tensor) -> Tensor:
    return net(images)


def cases(sources: Path) -> dict[str, Case]:
    """Return the networks by name."""
    sys.path.insert(0, str(sources / CLONE))

    def case(name: str, controls: dict[str, Any], neck: str = "bnneck") -> Case:
        def build() -> Any:
            from modeling.baseline import Baseline

            return Baseline(751, 1, "", neck, "after", name, "no")

        return Case(build, _embed, "strong-baseline", (256, 128), controls)

    wrong: dict[str, Any] = {
        "stem pooled without padding": {"stem_pool": "ceil"},
        "last stride 2": {"backbone.strides": (1, 2, 2, 2)},
    }
    before = {"before the neck": {"head.test_feature": "feats"}}
    relu = {"a ReLU in the stem": {"stem_relu": True}}
    return {
        "reid-strong-baseline ResNet-50": case("resnet50", {**wrong, **relu, **before}),
        "reid-strong-baseline ResNet-18": case("resnet18", {**wrong, **relu, **before}),
        "reid-strong-baseline ResNet-50, no neck": case("resnet50", {**wrong, **relu}, "no"),
        "reid-strong-baseline ResNet-50-IBN-a": case(
            "resnet50_ibn_a", {**wrong, **before, "no ReLU in the stem": {"stem_relu": False}}
        ),
    }
