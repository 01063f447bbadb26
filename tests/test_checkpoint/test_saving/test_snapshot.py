"""A copy shares no memory with the training, and is otherwise the same."""

from collections import OrderedDict

import pytest
import torch
from helpers.equal_states import assert_same
from torch import nn

from mmreid_ext.checkpoint.saving.snapshot import noting, snapshot
from mmreid_ext.checkpoint.saving.stream import plain_checkpoint


def state():
    model = nn.Sequential(nn.Linear(3, 3), nn.BatchNorm1d(3))
    optimizer = torch.optim.Adam(model.parameters())
    model(torch.randn(4, 3)).square().mean().backward()
    optimizer.step()
    return model, optimizer


def test_training_does_not_change_it():
    model, optimizer = state()
    live = dict(state_dict=model.state_dict(), optimizer=optimizer.state_dict())
    before = plain_checkpoint(live)
    copy, expected = snapshot(before), snapshot(snapshot(before))
    model(torch.randn(4, 3)).square().mean().backward()
    optimizer.step()
    assert_same(copy, expected)
    assert not torch.equal(copy["state_dict"]["0.weight"], live["state_dict"]["0.weight"])
    steps = [one["step"] for one in copy["optimizer"]["state"].values()]
    assert steps == [torch.tensor(1.0)] * len(steps)


def test_what_is_shared_stays_shared():
    weight, inner = torch.arange(6.0), [1]
    plain = dict(a=weight, b=weight[2:], c=weight, lists=(inner, inner))
    copy = snapshot(plain)
    storages = {copy[name].untyped_storage().data_ptr() for name in "abc"}
    assert len(storages) == 1 and copy["a"].data_ptr() != weight.data_ptr()
    assert copy["lists"][0] is copy["lists"][1] is not inner
    assert torch.equal(copy["b"], weight[2:]) and copy["b"].stride() == weight[2:].stride()


def test_attributes_of_state_dictionaries_survive():
    plain = OrderedDict(a=torch.ones(1))
    plain._metadata = dict(version=2)
    assert snapshot(plain)._metadata == dict(version=2) and type(snapshot(plain)) is OrderedDict


@pytest.mark.parametrize("device", [pytest.param("cuda", marks=pytest.mark.skipif(
    not torch.cuda.is_available(), reason="needs CUDA"))])  # fmt: skip
def test_device_is_the_host(device):
    assert snapshot(dict(a=torch.ones(2, device=device)))["a"].device.type == "cpu"


class OnDevice:
    """Stands for a tensor of a GPU."""

    device = torch.device("cuda", 0)

    def cpu(self):
        return torch.ones(2)


def test_what_came_from_a_device_is_copied_once():
    fresh, own = [], torch.zeros(2)
    to_host = noting(lambda tensor: tensor.cpu(), fresh)
    plain = dict(a=to_host(OnDevice()), b=to_host(own))
    assert len(fresh) == 1 and plain["b"] is own
    copy = snapshot(plain, fresh)
    assert copy["a"].data_ptr() == plain["a"].data_ptr()
    assert copy["b"].data_ptr() != own.data_ptr()
