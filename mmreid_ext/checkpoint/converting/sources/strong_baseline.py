"""Checkpoints of reid-strong-baseline: ResNet and ResNet-50-IBN-a under a batch-norm neck.

Its plain ResNet has no ReLU in the stem, its IBN-a has one.

H. Luo et al., "Bag of Tricks and A Strong Baseline for Deep Person Re-identification", CVPRW 2019,
https://arxiv.org/abs/1903.07071, https://github.com/michuanhaohao/reid-strong-baseline.
"""

from __future__ import annotations

from mmreid_ext.checkpoint.converting.shapes import classes, resnet_options
from mmreid_ext.checkpoint.converting.source import TRAINING, Choice, Named, Source, State, always
from mmreid_ext.checkpoint.starting.layouts import rules


def _choose(state: State) -> Choice:
    kind = "_ibn" if "base.layer1.0.bn1.IN.weight" in state else ""
    options = resnet_options(state, "base.") | classes(state, "classifier.weight")
    if "bottleneck.weight" not in state:
        options |= {"model.head.with_neck": False, "model.head.test_feature": "feats"}
    if "classifier.bias" in state:
        options["model.head.classifier_bias"] = True
    stem = "a ReLU in the stem" if kind else "no ReLU in the stem"
    return Choice(f"reid_strong_baseline_r50{kind}", options, f"last stride 1; {stem}; bilinear")


STRONG_BASELINE = Source(
    name="strong-baseline",
    title="reid-strong-baseline",
    signs=((r"^base\.layer1\.",),),
    renaming=always(
        rules(
            (r"^base\.", "backbone."),
            (r"^bottleneck\.", "head.neck."),
            (r"^classifier\.", "head.classifier."),
        )
    ),
    choose=_choose,
    dropped=(
        Named(r"^base\.fc\.", "ImageNet's classifier"),
        Named(r"^center\.|centers$", TRAINING),
    ),
    refused=(
        Named(r"\.se_module\.|^base\.layer0\.", "a network with squeeze-and-excitation"),
        Named(r"^fcneck\.", "a reduced embedding, which ours lacks"),
    ),
)
