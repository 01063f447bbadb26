"""MMPretrain's model hub lists and builds our configurations."""

import pytest
import torch
from mmengine.analysis import get_model_complexity_info
from mmpretrain import get_model, list_models
from mmpretrain.apis.model import ModelHub

from mmreid_ext.apis import register_models
from mmreid_ext.errors import UserError


@pytest.fixture(autouse=True)
def _hub(monkeypatch):
    list_models()  # MMPretrain's own are registered once
    monkeypatch.setattr(ModelHub, "_models_dict", dict(ModelHub._models_dict))


@pytest.mark.slow
def test_our_models_are_listed_once():
    assert not list_models("*metabin*")
    before = list_models()
    names = register_models()
    assert "metabin_r50" in names and set(names) <= set(list_models("*"))
    assert "metabin_r50" in list_models("*metabin*")
    assert register_models() == names
    assert set(list_models()) == set(before) | set(names)


@pytest.mark.slow
def test_another_model_of_that_name_is_named():
    ModelHub._models_dict["metabin_r50"] = ModelHub.get("resnet18_8xb32_in1k")
    with pytest.raises(UserError, match=r"'metabin_r50' is registered from .*resnet"):
        register_models()


@pytest.mark.slow
def test_a_model_is_built_and_loads_its_weights(tmp_path):
    register_models()
    small = dict(base_channels=8, stem_channels=8)
    head = dict(in_channels=64)
    torch.manual_seed(0)
    model = get_model("metabin_r18_synthetic", backbone=small, head=head)
    assert not model.training and model.bin_layers()
    torch.save(dict(state_dict=model.state_dict(), meta={}), tmp_path / "model.pth")
    again = get_model(
        "metabin_r18_synthetic", pretrained=str(tmp_path / "model.pth"), backbone=small, head=head
    )
    images = torch.randn(2, 3, 64, 32)
    assert torch.equal(again(images), model(images))


@pytest.mark.slow
def test_there_are_no_published_weights():
    register_models()
    with pytest.raises(UserError, match="'metabin_r18_synthetic' has no published weights"):
        get_model("metabin_r18_synthetic", pretrained=True)


@pytest.mark.slow
def test_operations_are_counted():
    register_models()
    model = get_model("metabin_r18_synthetic")
    found = get_model_complexity_info(model, (3, 64, 32), show_table=False, show_arch=False)
    assert found["params"] == sum(p.numel() for p in model.parameters())
    assert 0.5e8 < found["flops"] < 2e8
