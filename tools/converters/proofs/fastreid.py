"""Networks of fast-reid: Bag of Tricks, by a clone of its repository."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

from torch import Tensor

from .side_by_side import Case

CLONE = "fast-reid"


def _embed(net: Any, images: Tensor) -> Tensor:
    return net.heads(net.backbone(images))


def cases(sources: Path) -> dict[str, Case]:
    """Return the networks by name."""
    sys.path.insert(0, str(sources / CLONE))

    def case(file: str, controls: dict[str, Any], **changes: Any) -> Case:
        def build() -> Any:
            from fastreid.config import get_cfg
            from fastreid.modeling import build_model

            cfg = get_cfg()
            cfg.merge_from_file(str(sources / CLONE / "configs" / f"{file}.yml"))
            cfg.MODEL.DEVICE, cfg.MODEL.BACKBONE.PRETRAIN = "cpu", False
            cfg.MODEL.HEADS.NUM_CLASSES = 751
            for name, value in changes.items():
                setattr(cfg.MODEL.BACKBONE, name, value)
            return build_model(cfg)

        return Case(build, _embed, "fastreid", (256, 128), controls)

    wrong: dict[str, Any] = {
        "stem pooled with padding": {"stem_pool": "padded"},
        "no ReLU in the stem": {"stem_relu": False},
        "last stride 2": {"backbone.strides": (1, 2, 2, 2)},
        "before the neck": {"head.test_feature": "feats"},
    }
    return {
        "fast-reid BoT ResNet-50": case("Market1501/bagtricks_R50", wrong),
        "fast-reid BoT ResNet-50-IBN-a": case("Market1501/bagtricks_R50-ibn", wrong),
        "fast-reid BoT ResNet-18": case(
            "Market1501/bagtricks_R50", wrong, DEPTH="18x", FEAT_DIM=512
        ),
        "fast-reid SBS ResNet-50, no non-local blocks": case(
            "Market1501/sbs_R50", {**wrong}, WITH_NL=False
        ),
    }
