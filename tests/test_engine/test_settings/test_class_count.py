"""Classes and centres of a network are as many as the identities of its training set."""

from types import SimpleNamespace

import pytest
import torch
from torch.utils.data import Subset

from mmreid_ext.engine.settings.class_count import check_num_classes
from mmreid_ext.models.losses import CenterLoss


@pytest.mark.parametrize("classes", [15, 17])
def test_another_number_of_classes_than_of_identities(classes):
    dataset = SimpleNamespace(num_classes=16)
    message = rf"has {classes} classes, .* 16 identities: set `model.head.num_classes=16`"
    for data in (dataset, Subset(dataset, [0])):
        with pytest.raises(ValueError, match=message):
            check_num_classes(torch_model(classes), data)
        check_num_classes(torch_model(16), data)


def test_nothing_is_compared_where_one_does_not_tell():
    check_num_classes(torch_model(15), [])
    check_num_classes(torch.nn.Linear(1, 1), SimpleNamespace(num_classes=16))


def torch_model(classes):
    model = torch.nn.Module()
    model.head = torch.nn.Module()
    model.head.num_classes = classes
    return model


@pytest.mark.parametrize("centres", [15, 17])
def test_another_number_of_centres_than_of_identities(centres):
    class Head(torch.nn.Module):
        num_classes = 16

    model = torch.nn.Module()
    model.head = Head()
    model.head.losses = torch.nn.ModuleDict(dict(center=CenterLoss(centres, 4)))
    dataset = SimpleNamespace(num_classes=16)
    with pytest.raises(ValueError, match=rf"{centres} centres.*16.*head.losses.center.num_classes"):
        check_num_classes(model, dataset)
    model.head.losses = torch.nn.ModuleDict(dict(center=CenterLoss(16, 4)))
    check_num_classes(model, dataset)
