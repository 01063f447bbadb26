import math

import pytest
import torch
import torch.nn.functional as F
from helpers.distributed import run_distributed
from helpers.tools import load_tool
from torch import nn

from mmreid_ext.models import BNNeckHead, SyncBatchNorm
from mmreid_ext.models.losses.global_batch import one_gather
from mmreid_ext.models.norms import hold_running_stats

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


GLOBAL_LOSSES = dict(
    LOSSES,
    triplet=dict(type="mmreid_ext.BatchHardTripletLoss"),
    own=dict(type="mmreid_ext.BatchHardTripletLoss", across_ranks=False),
)
CHOSEN = {"ce": ["ce"], "both": ["ce", "triplet"], "metric": ["triplet"], "own": ["ce", "own"]}


def losses_and_gradients(rank, world_size):
    """By losses: terms, gradients of this rank's rows and of weights, averages, messages."""
    found = {}
    for name, losses in CHOSEN.items():
        head = make_head(losses=GLOBAL_LOSSES).double().train()
        x = feats(8).double().chunk(world_size)[rank].clone().requires_grad_()
        labels = (torch.arange(8) // 2).chunk(world_size)[rank]
        with load_tool("benchmarks/counted_messages").noted_messages() as messages:
            terms = head.losses_of(x, labels, labels, losses)
            loss = sum(terms.values())
            weights = [head.neck.weight, head.classifier.weight]
            torch.autograd.grad(loss, x, retain_graph=True)
            numbers = [f"{m.kind} {m.name}" for m in messages]
            grads = torch.autograd.grad(loss, [x, *weights], create_graph=True, allow_unused=True)
            second = torch.autograd.grad(grads[0].pow(2).sum(), x)
        with hold_running_stats(head):
            head.losses_of(x.detach(), labels, labels, losses)
        averages = [head.neck.running_mean, head.neck.running_var, head.neck.num_batches_tracked]
        grads = [torch.zeros(1) if g is None else g.detach() for g in grads]
        found[name] = [loss.detach(), grads[0], second[0], grads[1:], averages, numbers]
    half = make_head(losses=GLOBAL_LOSSES).train()
    x = feats(8).chunk(world_size)[rank].bfloat16()
    labels = (torch.arange(8) // 2).chunk(world_size)[rank]
    with one_gather(x, labels, labels):
        found["half"] = half._through_neck(x)
    return found


def test_two_ranks_share_one_gather_and_equal_one():
    first, second = run_distributed(losses_and_gradients, 2)
    one = losses_and_gradients(0, 1)
    passes = ["features and labels gather", "features and labels sum of parts"]
    own = ["moments gather", "moments sum"]
    expected = {"ce": own, "both": passes, "metric": passes, "own": own}
    for name in ("ce", "both", "metric"):  # "own" compares other triplets on two ranks
        a, b, c = first[name], second[name], one[name]
        close = dict(rtol=1e-10, atol=1e-12)
        # Ranks average gradients of weights; rows get what the sum of both losses gives.
        torch.testing.assert_close((a[0] + b[0]) / 2, c[0], **close)
        torch.testing.assert_close(torch.cat([a[1], b[1]]) / 2, c[1], **close)
        torch.testing.assert_close(torch.cat([a[2], b[2]]) / 4, c[2], **close)
        mean = [(g + h) / 2 for g, h in zip(a[3], b[3], strict=True)]
        torch.testing.assert_close(mean, c[3], **close)
        torch.testing.assert_close(a[4], c[4], **close)
        torch.testing.assert_close(b[4], a[4], rtol=0, atol=0)
    for name, messages in expected.items():
        assert first[name][5] == second[name][5] == messages and one[name][5] == []
    assert first["half"].dtype == torch.bfloat16
    both = torch.cat([first["half"], second["half"]])
    torch.testing.assert_close(both, one["half"], rtol=2**-7, atol=2**-7)  # a step of bfloat16
