import math

import pytest
import torch
import torch.nn.functional as F
from torch import nn

from mmreid_ext.models import BNNeckHead, SyncBatchNorm

DIM, CLASSES = 64, 500


LOSSES = dict(ce=dict(type="mmreid_ext.LabelSmoothingLoss"))


def make_head(**options):
    torch.manual_seed(0)
    return BNNeckHead(**{**dict(num_classes=CLASSES, in_channels=DIM, losses=LOSSES), **options})


def feats(num_rows=6):
    return torch.randn(num_rows, DIM, generator=torch.Generator().manual_seed(1)) * 2 + 1


def test_features_follow_their_definition():
    head = make_head()
    output = head(feats())
    expected = F.batch_norm(feats(), None, None, training=True)
    assert torch.equal(output.feats, feats())
    torch.testing.assert_close(output.embeddings, expected)
    torch.testing.assert_close(output.logits, expected @ head.classifier.weight.T)
    assert type(head.neck) is SyncBatchNorm


def test_neck_bias_is_frozen_at_zero():
    head = make_head()
    assert not head.neck.bias.requires_grad
    assert not head.neck.bias.any()
    assert head.neck.weight.requires_grad
    assert make_head(neck_bias=True).neck.bias.requires_grad


@pytest.mark.parametrize("bias", [False, True])
def test_normal_classifier(bias):
    classifier = make_head(classifier_bias=bias).classifier
    # 32,000 draws: mean within 4 standard errors, deviation within 2 %.
    assert classifier.weight.mean().abs() < 4 * 0.001 / math.sqrt(DIM * CLASSES)
    assert classifier.weight.std().item() == pytest.approx(0.001, rel=0.02)
    assert classifier.weight.abs().max() > 0.003  # no uniform distribution
    assert (classifier.bias is None) != bias
    if bias:
        assert not classifier.bias.any()


def test_uniform_classifier():
    weight = make_head(classifier_init="uniform").classifier.weight
    bound = 1 / math.sqrt(DIM)
    assert 0.99 * bound < weight.abs().max() <= bound
    assert weight.std().item() == pytest.approx(bound / math.sqrt(3), rel=0.02)


@pytest.mark.parametrize(
    "options, message",
    [
        (
            dict(classifier_init="kaiming"),
            "classifier_init='kaiming' must be 'normal'",
        ),
        (dict(test_feature="logits"), "test_feature='logits' must be 'embeddings' or 'feats'"),
    ],
)
def test_wrong_options(options, message):
    with pytest.raises(ValueError, match=message):
        make_head(**options)


@pytest.mark.parametrize("shape", [(6, 32), (6, DIM, 1, 1)], ids=str)
def test_wrong_feature_size_names_the_remedy(shape):
    with pytest.raises(ValueError, match=r"in_channels=64.*\(6, .*model.head.in_channels"):
        make_head()(torch.zeros(shape))


@pytest.mark.parametrize("test_feature", ["embeddings", "feats"])
def test_embeddings_for_retrieval(test_feature):
    head = make_head(test_feature=test_feature).eval()
    head.neck.running_mean.fill_(1)
    found = head.embed(feats().double() if test_feature == "feats" else feats())
    chosen = feats() if test_feature == "feats" else feats() - 1
    assert found.dtype == torch.float32
    torch.testing.assert_close(found, F.normalize(chosen), rtol=1e-4, atol=1e-5)


def test_without_neck_and_other_norms():
    head = make_head(with_neck=False)
    output = head(feats())
    assert output.embeddings is output.feats
    assert type(make_head(norm_cfg=dict(type="BN1d", eps=0.1)).neck) is nn.BatchNorm1d
