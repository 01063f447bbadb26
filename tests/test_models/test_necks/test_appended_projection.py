import pytest
import torch
from torch import nn

from mmreid_ext.errors import UserError
from mmreid_ext.models.heads import BNNeckHead
from mmreid_ext.models.necks import AppendedProjection


def test_a_joint_neck_and_classifier_are_those_of_the_two_parts():
    torch.manual_seed(0)
    neck = AppendedProjection(6, 4)
    x = torch.randn(5, 6)
    first, second = nn.BatchNorm1d(6).eval(), nn.BatchNorm1d(4).eval()
    for norm in (first, second):
        nn.init.uniform_(norm.running_mean), nn.init.uniform_(norm.weight)
    losses = dict(ce=dict(type="mmreid_ext.LabelSmoothingLoss"))
    head = BNNeckHead(3, 10, losses, norm_cfg=dict(type="BN1d")).eval()
    for name in ("weight", "bias", "running_mean", "running_var"):
        getattr(head.neck, name).data = torch.cat([getattr(first, name), getattr(second, name)])
    projected = x @ neck.projection.weight.T
    expected = torch.cat([first(x), second(projected)], 1)
    found = head(neck((x,)))
    torch.testing.assert_close(found.embeddings, expected)
    a, b = head.classifier.weight.split((6, 4), 1)
    torch.testing.assert_close(found.logits, first(x) @ a.T + second(projected) @ b.T)


def test_maps_are_refused():
    with pytest.raises(UserError, match="must be features"):
        AppendedProjection(6)(torch.zeros(1, 6, 2, 2))
