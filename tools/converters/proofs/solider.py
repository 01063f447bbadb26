"""Networks of SOLIDER-REID, by a clone of its repository."""

from __future__ import annotations

import collections.abc
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

from torch import Tensor

from .side_by_side import Case

CLONE = "SOLIDER-REID"


def cases(sources: Path) -> dict[str, Case]:
    """Return the networks by name."""
    sys.path.insert(0, str(sources / CLONE))
    six = ModuleType("torch._six")  # of PyTorch 1
    six.container_abcs = collections.abc  # type: ignore[attr-defined]
    sys.modules["torch._six"] = six
    runner = ModuleType("mmcv.runner")  # of MMCV 1
    runner.load_checkpoint = None  # type: ignore[attr-defined]
    sys.modules["mmcv.runner"] = runner

    def case(kind: str, weight: float) -> Case:
        def build() -> Any:
            from config import cfg
            from model import make_model

            own = cfg.clone()
            own.merge_from_file(str(sources / CLONE / "configs" / "market" / "swin_base.yml"))
            own.MODEL.PRETRAIN_CHOICE, own.MODEL.TRANSFORMER_TYPE = "none", kind
            own.MODEL.PRETRAIN_PATH = ""
            return make_model(own, 751, 6, 1, weight)

        def embed(net: Any, images: Tensor) -> Tensor:
            # What its code makes of the number itself is put on a GPU.
            given = images.new_tensor([[weight, 1 - weight]]).expand(len(images), 2)
            return net.base(images, given if weight >= 0 else None)[0]

        wrong: dict[str, Any] = {"after the neck": {"head.test_feature": "embeddings"}}
        if weight >= 0:
            wrong["semantic weight 0.9"] = {"backbone.semantic_weight": 0.9}
        return Case(build, embed, "solider", (384, 128), wrong)

    tiny, base = "swin_tiny_patch4_window7_224", "swin_base_patch4_window7_224"
    return {
        "SOLIDER Swin-T, weight 0.2": case(tiny, 0.2),
        "SOLIDER Swin-T, no controller": case(tiny, -1),
        "SOLIDER Swin-B, weight 0.2": case(base, 0.2),
    }
