"""What holds for every loss: argument names, precision, symmetry, edge batches, errors."""

import inspect

import pytest
import torch
from torch import nn

from mmreid_ext.models import losses
from mmreid_ext.registry import MODELS

FEAT_DIM, NUM_CLASSES = 6, 8
CONFIGS = {
    "triplet": dict(type="BatchHardTripletLoss"),
    "triplet_soft": dict(type="BatchHardTripletLoss", margin=None),
    "triplet_cosine": dict(type="BatchHardTripletLoss", distance="cosine"),
    "center": dict(type="CenterLoss", num_classes=NUM_CLASSES, feat_dim=FEAT_DIM),
    "circle": dict(type="CircleLoss", scale=16.0),
    "contrastive": dict(type="ContrastiveLoss", margin=0.0),
    "scatter": dict(type="DomainScatterLoss"),
    "shuffle": dict(type="DomainShuffleLoss"),
    "eml": dict(type="EMLLoss"),
    "margin_sample_mining": dict(type="MarginSampleMiningLoss", margin=2.0),
    "multi_similarity": dict(type="MultiSimilarityLoss", mining_margin=1.0),
    "npairs": dict(type="NPairsLoss"),
    "all_triplets": dict(type="TripletMarginLoss"),
}


NO_PLAIN_LOSSES = {
    "ArcMarginLinear",
    "BatchLoss",
    "CrossBatchMemory",
    "LabelSmoothingLoss",
    "PairLoss",
}


def build(name) -> nn.Module:
    cfg = dict(CONFIGS[name])
    torch.manual_seed(0)  # centres
    return MODELS.build(dict(cfg, type=f"mmreid_ext.{cfg['type']}"))


@pytest.fixture
def generator():
    return torch.Generator().manual_seed(0)


@pytest.fixture(params=CONFIGS)
def name(request):
    return request.param


@pytest.fixture
def loss(name):
    return build(name).double()


def call(loss, feats, pids, domains):
    names = inspect.signature(loss.forward).parameters
    available = dict(feats=feats, pids=pids, domains=domains)
    return loss(**{key: value for key, value in available.items() if key in names})


def labels():
    return torch.tensor([0, 0, 1, 1, 2, 2, 3, 3, 3, 3]), torch.tensor(
        [0, 1, 0, 0, 1, 1, 1, 0, 0, 1]
    )


def test_every_loss_is_covered():
    public = {
        name
        for name in losses.__all__
        if issubclass(getattr(losses, name), nn.Module) and name not in NO_PLAIN_LOSSES
    }
    assert public == {cfg["type"] for cfg in CONFIGS.values()}


def test_required_arguments_are_the_heads_names(loss):
    parameters = inspect.signature(loss.forward).parameters.values()
    required = {p.name for p in parameters if p.default is p.empty}
    assert required <= {"logits", "feats", "pids", "domains"}


def test_scalar_value(loss, make_feats):
    pids, domains = labels()
    value = call(loss, make_feats(10), pids, domains)
    assert value.ndim == 0
    assert value > 0
    assert value.dtype == torch.float64


def test_permutation_does_not_matter(name, loss, make_feats, generator):
    if name == "npairs":
        pytest.skip("N-pairs tells anchors from positives by their order")
    pids, domains = labels()
    feats, order = make_feats(10), torch.randperm(10, generator=generator)
    value = call(loss, feats, pids, domains)
    shuffled = call(loss, feats[order], pids[order], domains[order])
    torch.testing.assert_close(value, shuffled)
    grads = [torch.autograd.grad(v, feats)[0] for v in (value, shuffled)]
    torch.testing.assert_close(*grads)


def test_relabelling_does_not_matter(name, loss, make_feats):
    if name == "center":
        pytest.skip("a centre belongs to its label")
    pids, domains = labels()
    feats = make_feats(10)
    relabelled = call(loss, feats, 1000 - 7 * pids, 5 - 9 * domains)
    torch.testing.assert_close(call(loss, feats, pids, domains), relabelled)


def test_gradcheck(name, loss, make_feats):
    if name == "circle":
        pytest.skip("holds its weights constant in the derivative; compared with a loop elsewhere")
    pids, domains = labels()
    feats = make_feats(10)
    assert torch.autograd.gradcheck(lambda x: call(loss, x, pids, domains), feats)


def test_second_derivatives(name, loss, make_feats):
    if name == "circle":
        pytest.skip("holds its weights constant in the derivative")
    pids, domains = labels()
    feats = make_feats(10)
    assert torch.autograd.gradgradcheck(lambda x: call(loss, x, pids, domains), feats)


@pytest.mark.parametrize("kind", ["normal", "collapsed", "zero", "huge", "small", "tiny"])
def test_edge_batches_are_finite(name, pids, kind):
    loss, num_rows = build(name), len(pids)
    if name == "npairs" and (pids.unique(return_counts=True)[1] == 1).any():
        pytest.skip("an error, tested elsewhere")
    generator = torch.Generator().manual_seed(0)
    feats = torch.randn(num_rows, FEAT_DIM, generator=generator)
    feats = {
        "normal": feats,
        "collapsed": torch.ones_like(feats),
        "zero": torch.zeros_like(feats),
        "huge": feats * 1e8,
        "small": feats * 1e-11,
        "tiny": feats * 1e-20,
    }[kind].requires_grad_()
    for domains in (torch.zeros_like(pids), torch.arange(num_rows), torch.arange(num_rows) % 2):
        feats.grad = None
        value = call(loss, feats, pids, domains)
        value.backward()
        assert value.isfinite()
        assert feats.grad.isfinite().all()


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_half_precision_is_widened(name, dtype):
    loss, (pids, domains) = build(name), labels()
    feats = torch.randn(10, FEAT_DIM, generator=torch.Generator().manual_seed(0)).to(dtype)
    expected = call(loss, feats.float(), pids, domains)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        value = call(loss, feats, pids, domains)
    assert value.dtype == torch.float32
    assert torch.equal(value, expected)
    feats.requires_grad_()
    call(loss, feats, pids, domains).backward()
    assert feats.grad.dtype == dtype


def test_small_integer_labels(loss, make_feats):
    pids, domains = labels()
    feats = make_feats(10)
    value = call(loss, feats, pids.to(torch.int32), domains.to(torch.uint8))
    torch.testing.assert_close(value, call(loss, feats, pids, domains))


def test_wrong_inputs_are_named(loss):
    pids, domains = labels()
    feats = torch.randn(10, FEAT_DIM)
    owner = type(loss).__name__
    with pytest.raises(
        ValueError, match=rf"{owner}: feats .*\(10, 6, 1, 1\), but must be \(N, D\).*flatten"
    ):
        call(loss, feats[:, :, None, None], pids, domains)
    with pytest.raises(ValueError, match=r"\(10,\), but must be \(9,\), one per row of feats"):
        call(loss, feats[:9], pids, domains)
    with pytest.raises(ValueError, match="N >= 1"):
        call(loss, feats[:0], pids[:0], domains[:0])
    with pytest.raises(TypeError, match="are torch.float32, but must be integers"):
        call(loss, feats, pids.float(), domains.float())
    with pytest.raises(TypeError, match="feats are torch.int64, but must be floating point"):
        call(loss, feats.long(), pids, domains)


def test_nan_features_are_not_hidden(name):
    """A diverged network must show as a non-finite loss, not as a small one."""
    pids, domains = labels()
    feats = torch.full((10, FEAT_DIM), float("nan"))
    assert not call(build(name), feats, pids, domains).isfinite()
