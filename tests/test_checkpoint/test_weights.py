import pytest
import torch
from helpers.tiny_reid import tiny_model
from mmengine.runner import load_checkpoint
from mmengine.runner.checkpoint import _load_checkpoint
from torch import nn

from mmreid_ext.checkpoint.weights import load_weights, with_names
from mmreid_ext.compat import enable_safe_checkpoints
from mmreid_ext.errors import UserError
from mmreid_ext.registry import MODELS


def make_model(seed, **options):
    torch.manual_seed(seed)
    model = MODELS.build(tiny_model(**options)).eval()
    for parameter in model.parameters():
        nn.init.normal_(parameter.data, std=0.3)
    return model


@pytest.fixture
def save(tmp_path):
    def write(content):
        path = tmp_path / "model.pth"
        torch.save(content, path)
        return path

    return write


def outputs(model):
    return model(torch.randn(2, 3, 16, 8, generator=torch.Generator().manual_seed(0)))


@pytest.mark.parametrize("form", ["checkpoint", "plain", "distributed"])
def test_embeddings_are_those_of_the_checkpoint(save, form):
    trained = make_model(0)
    state = trained.state_dict()
    if form == "distributed":
        state = {f"module.{name}": value for name, value in state.items()}
    path = save(state if form == "plain" else {"state_dict": state, "meta": {"epoch": 1}})
    model = make_model(1)
    assert not torch.allclose(outputs(model), outputs(trained))
    load_weights(model, path)
    assert torch.equal(outputs(model), outputs(trained))


def test_wrapped_model(save):
    trained, model = make_model(0), make_model(1)
    wrapper = nn.Module()
    wrapper.module = model
    load_weights(wrapper, save(trained.state_dict()))
    assert torch.equal(outputs(model), outputs(trained))


def test_classifier_and_losses_may_differ(save):
    losses = dict(center=dict(type="mmreid_ext.CenterLoss", num_classes=9, feat_dim=7))
    config = tiny_model(num_classes=9, losses=losses)
    config["head"]["train_losses"] = ("center",)
    trained, model = MODELS.build(config).eval(), make_model(1)
    classifier = model.head.classifier.weight.detach().clone()
    load_weights(model, save(trained.state_dict()))
    assert torch.equal(outputs(model), outputs(trained))
    assert torch.equal(model.head.classifier.weight, classifier)


def test_counter_of_batches_is_optional(save):
    state = make_model(0).state_dict()
    path = save({k: v for k, v in state.items() if not k.endswith("num_batches_tracked")})
    model = make_model(1)
    load_weights(model, path)
    assert torch.equal(model.backbone.conv1.weight, state["backbone.conv1.weight"])


def test_problems_are_named_and_leave_the_model_alone(save):
    state, model = make_model(0).state_dict(), make_model(1)
    before = outputs(model)
    del state["head.neck.weight"]
    state["backbone.extra"] = torch.zeros(1)
    state["backbone.conv1.weight"] = torch.zeros(4, 3, 3, 3)
    with pytest.raises(ValueError, match="not those of this model") as error:
        load_weights(model, save(state))
    message = str(error.value)
    assert "backbone.conv1.weight has shape (4, 3, 3, 3) instead of (4, 3, 7, 7)" in message
    assert "head.neck.weight is missing" in message
    assert "backbone.extra is unknown" in message
    assert "model.pth" in message and "more" not in message
    assert torch.equal(outputs(model), before)


def test_long_lists_are_cut(save):
    trained = make_model(0, norm="BN")
    model = make_model(1)
    rest = 3 * len(model.bin_layers()) - 5  # each lacks in_weight, in_bias and gate
    with pytest.raises(ValueError, match=f"is missing and {rest} more. Use the checkpoint's"):
        load_weights(model, save(trained.state_dict()))


def test_no_file_and_no_weights(save, tmp_path):
    with pytest.raises(FileNotFoundError, match="No checkpoint .*nowhere.pth"):
        load_weights(make_model(1), tmp_path / "nowhere.pth")
    for content in (torch.zeros(3), {"epoch": 3}, {"state_dict": [1]}):
        with pytest.raises(ValueError, match="model.pth holds no weights"):
            load_weights(make_model(1), save(content))


NAMELESS = [None, [], {1: 2}, {"\x1b[2J": 3}, {"a" * 2000: 3}]


@pytest.mark.parametrize("state", NAMELESS, ids=range(len(NAMELESS)))
def test_weights_without_names_are_refused_before_mmengine_prints_them(tmp_path, state):
    enable_safe_checkpoints()
    torch.save(dict(state_dict=state), tmp_path / "w.pth")
    for load in (lambda p: load_checkpoint(torch.nn.Linear(1, 1), p), _load_checkpoint):
        with pytest.raises(UserError, match="checkpoint's state_dict") as error:
            load(str(tmp_path / "w.pth"))
        assert str(error.value).isprintable() and len(str(error.value)) < 300
    assert with_names(dict(state_dict={"a.b": 1}))["state_dict"] == {"a.b": 1}
    assert with_names([1]) == [1]
