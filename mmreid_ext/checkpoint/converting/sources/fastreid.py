"""Checkpoints of fast-reid: its baseline of ResNet and ResNet-IBN-a with a batch-norm neck.

Bag of Tricks (BoT), and SBS and AGW as far as they have no non-local blocks. fast-reid pools the
stem without padding; ``model.stem_pool='ceil'`` is that pooling.

L. He et al., "FastReID: A Pytorch Toolbox for General Instance Re-identification", 2020,
https://arxiv.org/abs/2006.02631, https://github.com/JDAI-CV/fast-reid.
"""

from __future__ import annotations

from mmreid_ext.checkpoint.converting.shapes import classes, resnet_options
from mmreid_ext.checkpoint.converting.source import Choice, Named, Source, State, always
from mmreid_ext.checkpoint.starting.layouts import rules

_POOL = "heads.pool_layer.p"


def _choose(state: State) -> Choice:
    kind = "_ibn" if "backbone.layer1.0.bn1.IN.weight" in state else ""
    options = resnet_options(state, "backbone.") | classes(state, "heads.weight")
    if _POOL in state:
        options["model.neck.type"] = "mmreid_ext.GeneralizedMeanPooling"
    assumed = "last stride 1; average pooling unless a power is stored (GeM); 256 x 128, bicubic"
    return Choice(f"fastreid_r50{kind}", options, assumed)


FASTREID = Source(
    name="fastreid",
    title="fast-reid",
    signs=(
        (r"^backbone\.", r"^heads\.(bottleneck|weight|pool_layer|bnneck)"),
        (r"^backbone\.NL_",),
    ),
    renaming=always(
        rules(
            (r"^heads\.bottleneck\.0\.", "head.neck."),
            (r"^heads\.weight$", "head.classifier.weight"),
            (r"^heads\.pool_layer\.p$", "neck.p"),
            # Version 0.1 called them so.
            (r"^heads\.bnneck\.", "head.neck."),
            (r"^heads\.classifier\.weight$", "head.classifier.weight"),
        )
    ),
    choose=_choose,
    dropped=(Named(r"^pixel_(mean|std)$", "mean and standard deviation are in the configuration"),),
    refused=(
        Named(r"^backbone\.NL_", "non-local blocks (SBS, AGW), which this package lacks"),
        Named(r"^b\d+(_head)?\.", "branches of MGN, which this package lacks"),
        Named(r"^heads\.bottleneck\.1\.", "a reduced embedding (EMBEDDING_DIM), which ours lacks"),
        Named(r"\.se\.", "squeeze-and-excitation, which our ResNet lacks"),
    ),
)
