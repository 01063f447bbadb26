import pytest
import torch
from helpers.tiny_reid import tiny_model
from mmpretrain.structures import DataSample

from mmreid_ext.engine import ReIDOptimWrapperConstructor
from mmreid_ext.models.norms import hold_running_stats
from mmreid_ext.registry import MODELS

SGD = dict(type="SGD", lr=0.1, momentum=0.9, weight_decay=0.01)


def build(model, optimizer=SGD, **paramwise):
    return ReIDOptimWrapperConstructor(dict(optimizer=optimizer), paramwise)(model)


def make_model(**options):
    torch.manual_seed(0)
    return MODELS.build({**tiny_model(), **options})


def names_by_group(model, wrapper):
    names = {parameter: name for name, parameter in model.named_parameters()}
    return [[names[p] for p in group["params"]] for group in wrapper.optimizer.param_groups]


def test_every_trainable_parameter_exactly_once():
    model = make_model()
    weights, biases = names_by_group(model, build(model))
    trainable = [name for name, p in model.named_parameters() if p.requires_grad]
    assert sorted(weights + biases) == sorted(trainable)
    assert "backbone.bn1.in_weight" in weights and "head.classifier.weight" in weights
    assert {"backbone.bn1.bias", "backbone.bn1.in_bias"} <= set(biases)
    assert "head.neck.bias" not in weights + biases
    assert not any(name.endswith("gate") for name in weights + biases)


def test_trained_gates_are_weights():
    model = make_model(train_gates=True)
    weights, biases = names_by_group(model, build(model))
    assert "backbone.bn1.gate" in weights
    assert not any(name.endswith("gate") for name in biases)


def test_rates_and_decays_of_biases():
    weights, biases = build(
        make_model(), bias_lr_mult=2.0, bias_decay_mult=0.5
    ).optimizer.param_groups
    assert (weights["lr"], weights["weight_decay"]) == (0.1, 0.01)
    assert (biases["lr"], biases["weight_decay"]) == (0.2, 0.005)
    assert biases["momentum"] == 0.9
    plain = build(make_model()).optimizer.param_groups
    assert plain[0]["lr"] == plain[1]["lr"] and plain[0]["weight_decay"] == 0.01


def test_a_model_without_biases_has_one_group():
    model = torch.nn.Linear(2, 2, bias=False)
    assert len(build(model).optimizer.param_groups) == 1


def test_wrong_settings_are_named():
    with pytest.raises(ValueError, match="bias_lr_mult, bias_decay_mult, center_lr, not norm_"):
        build(make_model(), norm_decay_mult=0.0)
    with pytest.raises(ValueError, match=r"bias_lr_mult=2 multiplies .*optimizer.lr"):
        build(make_model(), dict(type="Adam"), bias_lr_mult=2)
    with pytest.raises(ValueError, match=r"bias_decay_mult=0 multiplies .*weight_decay"):
        build(make_model(), dict(type="Adam", lr=0.1), bias_decay_mult=0)
    with pytest.raises(ValueError, match="needs an `optimizer`"):
        ReIDOptimWrapperConstructor(dict(type="OptimWrapper"))


LABELS = [0, 0, 1, 1, 1, 5]


def model_with_centers(loss_weight=0.0005):
    config = tiny_model()
    center = dict(type="mmreid_ext.CenterLoss", num_classes=16, loss_weight=loss_weight)
    center["feat_dim"] = config["head"]["in_channels"]
    ce = dict(type="mmreid_ext.LabelSmoothingLoss")
    config["head"].update(losses=dict(ce=ce, center=center), train_losses=("ce", "center"))
    torch.manual_seed(0)
    return MODELS.build(config).train()


def batch_of(seed=0):
    generator = torch.Generator().manual_seed(seed)
    images = torch.randn(len(LABELS), 3, 16, 8, generator=generator)
    return dict(inputs=images, data_samples=[DataSample().set_gt_label(i) for i in LABELS])


def moved_centers(centers, feats, lr):
    """c_j - lr * (2 / B) * sum of (c_j - x_i) over the images of j, by a loop."""
    expected = centers.clone()
    for label, feat in zip(LABELS, feats, strict=True):
        expected[label] -= lr * 2 / len(LABELS) * (centers[label] - feat)
    return expected


@pytest.mark.parametrize("center_lr", [None, 0.2])
@pytest.mark.parametrize("loss_weight", [0.0005, 1.0])
def test_centers_move_by_their_own_rule(loss_weight, center_lr):
    model = model_with_centers(loss_weight)
    options = {} if center_lr is None else dict(center_lr=center_lr)
    adam = dict(type="Adam", lr=3.5e-4, weight_decay=5e-4)
    wrapper = build(model, adam, **options)
    center = model.head.losses["center"]
    for step in range(2):  # Adam would remember the first step
        with torch.no_grad(), hold_running_stats(model):
            feats = model.pool(batch_of(step)["inputs"])
        expected = moved_centers(center.centers.detach(), feats, center_lr or 0.5)
        before = center.centers.detach().clone()
        weight = model.head.classifier.weight.detach().clone()
        model.train_step(batch_of(step), wrapper)
        # The gradient is divided by loss_weight in float32.
        torch.testing.assert_close(center.centers.detach(), expected, rtol=1e-5, atol=1e-5)
        assert torch.equal(center.centers[2], before[2])  # an absent identity stays
        assert not torch.equal(center.centers[5], before[5])
        assert not torch.equal(model.head.classifier.weight, weight)
    assert center.factor == 0


@pytest.mark.parametrize(
    "optimizer",
    [
        SGD,
        dict(type="Adam", lr=0.01, weight_decay=0.01),
        dict(type="AdamW", lr=0.01),
        dict(type=torch.optim.SGD, lr=0.1),
    ],
    ids=["SGD", "Adam", "AdamW", "class"],
)
def test_steps_are_fused_and_the_same(optimizer):
    steps = []
    for changes in ({}, dict(fused=False)):
        model = make_model()
        wrapper = build(model, dict(optimizer, **changes), bias_lr_mult=2.0)
        assert [bool(group["fused"]) for group in wrapper.optimizer.param_groups] == 2 * [
            not changes
        ]
        generator = torch.Generator().manual_seed(1)
        for _ in range(3):
            for parameter in model.parameters():
                if parameter.requires_grad:
                    parameter.grad = torch.randn(parameter.shape, generator=generator)
            wrapper.optimizer.step()
        steps.append(list(model.parameters()))
    for fused, plain in zip(*steps, strict=True):
        torch.testing.assert_close(fused, plain, rtol=1e-5, atol=1e-6)


def test_steps_are_not_fused_where_they_cannot_be():
    losses = dict(center=dict(type="mmreid_ext.CenterLoss", num_classes=16, feat_dim=16))
    model = MODELS.build(tiny_model(losses=dict(tiny_model()["head"]["losses"], **losses)))
    other = dict(type="RMSprop", lr=0.1), dict(SGD, foreach=True)
    wrappers = [build(model)] + [build(make_model(), optimizer) for optimizer in other]
    for wrapper in wrappers:
        assert not any(group.get("fused") for group in wrapper.optimizer.param_groups)
