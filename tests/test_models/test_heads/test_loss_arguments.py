"""A loss gets the arguments that it names; one that no head has is refused when it is built."""

import pytest
from torch import nn

from mmreid_ext.errors import UserError
from mmreid_ext.models.heads import BNNeckHead, EmbeddingHead, ReIDFeatures
from mmreid_ext.models.heads.loss_arguments import LOSS_ARGUMENTS, loss_arguments


def loss_with(arguments):
    scope = {}
    exec(f"def forward(self{arguments}): return 0", scope)
    return type("Own", (nn.Module,), dict(forward=scope["forward"]))()


@pytest.mark.parametrize(
    "arguments, wanted",
    [
        (", logits, pids", ("logits", "pids")),
        (", domains, *, embeddings, other=None", ("domains", "embeddings")),
        (", feats, *args, **kwargs", ("feats",)),
        ("", ()),
    ],
)
def test_arguments_are_found_by_name(arguments, wanted):
    assert loss_arguments("own", loss_with(arguments)) == wanted


@pytest.mark.parametrize(
    "arguments, words",
    [
        (", embedings, pids", r"'embedings' \(did you mean 'embeddings'\?\), but a head gives"),
        (", feats, labels", r"'labels'.*pids \(labels in \[0, num_classes\), int64"),
        (", cls_score, label", r"losses.own: Own.forward asks for 'cls_score'"),
    ],
)
@pytest.mark.parametrize("head", [BNNeckHead, EmbeddingHead])
def test_an_argument_that_no_head_gives_is_refused_when_the_head_is_built(head, arguments, words):
    own = type(loss_with(arguments))
    with pytest.raises(UserError, match=words):
        head(num_classes=3, in_channels=4, losses=dict(own=dict(type=own)))


def test_the_list_is_what_heads_compute():
    assert tuple(LOSS_ARGUMENTS) == (*ReIDFeatures._fields, "pids", "domains")


def test_a_loss_of_mmpretrain_is_refused_with_the_list():
    with pytest.raises(UserError, match="CrossEntropyLoss.forward asks for 'cls_score'.*logits"):
        BNNeckHead(3, 4, losses=dict(ce=dict(type="mmpretrain.CrossEntropyLoss")))
