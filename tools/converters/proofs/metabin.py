"""Networks of the official MetaBIN, by a clone of its repository (which has no licence)."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

from torch import Tensor

from .side_by_side import Case

CLONE = "MetaBIN"


def _embed(net: Any, images: Tensor) -> Tensor:
    return net.heads(net.backbone(images))


def cases(sources: Path) -> dict[str, Case]:
    """Return the networks by name."""
    sys.path.insert(0, str(sources / CLONE))

    def case(backbone: str, depth: int, size: int, controls: dict[str, Any], norm: str) -> Case:
        def build() -> Any:
            from fastreid.config import get_cfg
            from fastreid.modeling.meta_arch import build_model

            cfg = get_cfg()
            cfg.merge_from_file(str(sources / CLONE / "configs" / "Sample" / "DG-mobilenet.yml"))
            cfg.MODEL.DEVICE, cfg.MODEL.BACKBONE.PRETRAIN = "cpu", False
            cfg.MODEL.BACKBONE.NAME, cfg.MODEL.BACKBONE.DEPTH = backbone, depth
            cfg.MODEL.HEADS.NUM_CLASSES, cfg.MODEL.HEADS.IN_FEAT = 751, size
            cfg.MODEL.NORM.TYPE_BACKBONE = norm
            return build_model(cfg)

        return Case(build, _embed, "metabin", (256, 128), controls)

    gates = {"eps 1e-3": {"backbone.norm_cfg": dict(type="mmreid_ext.BIN", eps=1e-3)}}
    wide = {"last stride 2": {"backbone.last_stride": 2}, **gates}
    deep = {
        "last stride 2": {"backbone.strides": (1, 2, 2, 2)},
        "no ReLU in the stem": {"stem_relu": False},
        "stem pooled without padding": {"stem_pool": "ceil"},
        **gates,
    }
    resnet, mobile = "build_resnet_backbone", "build_mobilenet_v2_backbone"
    return {
        "MetaBIN ResNet-50": case(resnet, 50, 2048, deep, "BIN_gate2"),
        "MetaBIN ResNet-18": case(resnet, 18, 512, deep, "BIN_gate2"),
        "MetaBIN ResNet-50, first version's gates": case(resnet, 50, 2048, deep, "BIN_gate1"),
        "MetaBIN ResNet-50, batch norm": case(
            resnet, 50, 2048, {k: v for k, v in deep.items() if k != "eps 1e-3"}, "BN"
        ),
        "MetaBIN MobileNetV2 x1.4": case(mobile, 14, 1792, wide, "BIN_gate2"),
        "MetaBIN MobileNetV2 x1.0": case(mobile, 10, 1280, wide, "BIN_gate2"),
    }
