"""Networks of TransReID, by a clone of its repository."""

from __future__ import annotations

import collections.abc
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

from torch import Tensor

from .side_by_side import Case

CLONE = "TransReID"


def _embed(net: Any, images: Tensor) -> Tensor:
    return net(images)


def cases(sources: Path) -> dict[str, Case]:
    """Return the networks by name."""
    sys.path.insert(0, str(sources / CLONE))
    six = ModuleType("torch._six")  # of PyTorch 1
    six.container_abcs = collections.abc  # type: ignore[attr-defined]
    sys.modules["torch._six"] = six

    def case(kind: str, size: tuple[int, int], stride: int, feature: str = "before") -> Case:
        def build() -> Any:
            from config import cfg
            from model import make_model

            own = cfg.clone()
            own.merge_from_file(str(sources / CLONE / "configs" / "Market" / "vit_base.yml"))
            own.MODEL.PRETRAIN_CHOICE, own.MODEL.TRANSFORMER_TYPE = "none", kind
            own.MODEL.STRIDE_SIZE, own.INPUT.SIZE_TRAIN = [stride, stride], list(size)
            own.TEST.NECK_FEAT = feature
            return make_model(own, 751, 6, 1)

        return Case(build, _embed, "transreid", size, _WRONG)

    vit, deit = "vit_base_patch16_224_TransReID", "deit_small_patch16_224_TransReID"
    return {
        "TransReID ViT-B/16": case(vit, (256, 128), 16),
        "TransReID DeiT-S/16": case(deit, (256, 128), 16),
        "TransReID DeiT-S/16, stride 12": case(deit, (256, 128), 12),
        "TransReID DeiT-S/16, 384 x 128": case(deit, (384, 128), 16),
    }


_WRONG: dict[str, Any] = {
    "class token of the layer before": {"backbone.out_indices": -2},
    "after the neck": {"head.test_feature": "embeddings"},
}
