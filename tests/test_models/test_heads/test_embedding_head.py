import pytest
import torch
import torch.nn.functional as F

from mmreid_ext.models import EmbeddingHead
from mmreid_ext.models.losses import ArcMarginLinear, ContrastiveLoss

CONTRASTIVE = dict(contrastive=dict(type="mmreid_ext.ContrastiveLoss"))
CROSS_ENTROPY = dict(ce=dict(type="mmreid_ext.LabelSmoothingLoss", epsilon=0.0))
ARC = dict(type="mmreid_ext.ArcMarginLinear", margin=0.2, scale=30)


def make_head(losses=CONTRASTIVE, **options):
    torch.manual_seed(0)
    return EmbeddingHead(16, losses, **{"embedding_dim": 8, **options})


def batch(rows=6):
    feats = torch.randn(rows, 16, generator=torch.Generator().manual_seed(1))
    return feats, torch.arange(rows) // 2, torch.zeros(rows, dtype=torch.long)


def test_pair_losses_read_the_linear_embedding():
    head, (feats, pids, domains) = make_head(), batch()
    expected = feats @ head.embedding.weight.T + head.embedding.bias
    terms = head.loss(head(feats), pids, domains)
    torch.testing.assert_close(terms["loss_contrastive"], ContrastiveLoss()(expected, pids))
    torch.testing.assert_close(head.embed(feats), F.normalize(expected))


def test_softmax_classifier():
    head, (feats, pids, domains) = make_head(CROSS_ENTROPY, num_classes=3), batch()
    logits = head.classifier(head.embedding(feats))
    torch.testing.assert_close(
        head.loss(head(feats), pids, domains)["loss_ce"], F.cross_entropy(logits, pids)
    )
    assert head.classifier.bias is not None


def test_arc_margin_classifier_sees_the_labels():
    head = make_head(CROSS_ENTROPY, num_classes=3, classifier=ARC)
    feats, pids, domains = batch()
    assert isinstance(head.classifier, ArcMarginLinear)
    assert (head.classifier.margin, head.classifier.scale) == (0.2, 30)
    logits = head.classifier(head.embedding(feats), pids)
    loss = head.loss(head(feats), pids, domains)["loss_ce"]
    torch.testing.assert_close(loss, F.cross_entropy(logits, pids))
    assert not torch.allclose(loss, F.cross_entropy(head.classifier(head.embedding(feats)), pids))


def test_embedding_dim_zero_keeps_the_pooled_features():
    head, (feats, *_) = make_head(embedding_dim=0), batch()
    assert head(feats).embeddings is feats
    assert head.embedding_dim == 16


def test_kaiming_fan_out_is_that_of_the_output_size():
    torch.manual_seed(0)
    head = EmbeddingHead(2048, CONTRASTIVE, embedding_init="kaiming_fan_out")
    # Standard deviation sqrt(2 / 128); its own error over 262,144 draws is 0.0002.
    assert head.embedding.weight.std().item() == pytest.approx(0.125, abs=1e-3)
    assert not head.embedding.bias.any()


@pytest.mark.parametrize("options", [dict(classifier=ARC), dict(losses=CROSS_ENTROPY)])
def test_a_classifier_needs_the_number_of_classes(options):
    with pytest.raises(ValueError, match=r"model\.head\.num_classes"):
        make_head(**options)


def test_wrong_feature_size_and_wrong_names_explain_themselves():
    with pytest.raises(ValueError, match=r"EmbeddingHead: in_channels=16, .*\(6, 9\)"):
        make_head()(torch.zeros(6, 9))
    with pytest.raises(ValueError, match="embedding_init='xavier' is unknown"):
        make_head(embedding_init="xavier")
    with pytest.raises(ValueError, match="Unknown loss triplet"):
        make_head(train_losses=("triplet",))
