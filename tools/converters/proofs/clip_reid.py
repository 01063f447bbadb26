"""Networks of CLIP-ReID, by a clone of its repository; CLIP's own weights aren't needed."""

from __future__ import annotations

import sys
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

from torch import Tensor, nn

from .side_by_side import Case

CLONE = "CLIP-ReID"


def _embed(net: Any, images: Tensor) -> Tensor:
    return net(images)


def cases(sources: Path) -> dict[str, Case]:
    """Return the networks by name."""
    sys.path.insert(0, str(sources / CLONE))
    sys.modules["ftfy"] = ModuleType("ftfy")  # of the tokenizer, which images don't need
    sys.modules["model.clip.simple_tokenizer"] = tokens = ModuleType("simple_tokenizer")
    tokens.SimpleTokenizer = lambda: None  # type: ignore[attr-defined]

    def case(feature: str, stride: int) -> Case:
        def build() -> Any:
            from config import cfg_base as cfg
            from model import make_model
            from model.clip.model import LayerNorm, VisionTransformer

            LayerNorm.forward = (
                nn.LayerNorm.forward
            )  # CLIP's casts to float32, whatever it is given

            def random_clip(name: str, height: int, width: int, stride: int) -> Any:
                visual = VisionTransformer(height, width, 16, stride, 768, 12, 12, 512)
                return SimpleNamespace(visual=visual, to=lambda device: None)

            make_model.load_clip_to_cpu = random_clip
            own = cfg.clone()
            # What its vit_base.yml says; the empty DATASETS of that file is refused by yacs.
            own.MODEL.NAME, own.INPUT.SIZE_TRAIN = "ViT-B-16", [256, 128]
            own.MODEL.STRIDE_SIZE, own.TEST.NECK_FEAT = [stride, stride], feature
            return make_model.make_model(own, 751, 6, 1)

        wrong: dict[str, Any] = {
            "after the necks": {"head.test_feature": "embeddings"},
        }
        return Case(build, _embed, "clip-reid", (256, 128), wrong)

    return {
        "CLIP-ReID ViT-B/16": case("before", 16),
        "CLIP-ReID ViT-B/16, stride 12": case("before", 12),
    }
