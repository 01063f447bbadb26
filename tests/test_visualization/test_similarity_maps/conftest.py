"""Networks whose maps are known."""

import pytest
import torch
import torch.nn.functional as F
from helpers.tiny_reid import tiny_model
from torch import nn

from mmreid_ext.models.heads import ReIDFeatures
from mmreid_ext.registry import MODELS


class AffineHead(nn.Module):
    def __init__(self):
        super().__init__()
        self.linear = nn.Linear(4, 5)

    def forward(self, feats):
        embeddings = self.linear(feats)
        return ReIDFeatures(embeddings, embeddings, None)

    def embed(self, feats):
        return F.normalize(self.linear(feats).float())


class LinearNetwork(nn.Module):
    """Linear in every pixel but for the constant of its head."""

    def __init__(self):
        super().__init__()
        self.backbone = nn.Conv2d(3, 4, 1, bias=False)
        self.neck = nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten())
        self.head = AffineHead()

    def pool(self, inputs):
        return self.neck(self.backbone(inputs))


@pytest.fixture
def linear_network():
    torch.manual_seed(0)
    return LinearNetwork()


@pytest.fixture(scope="session")
def resnet():
    """A small ResNet in float64, with statistics and gates as after a training."""
    torch.manual_seed(0)
    model = MODELS.build(tiny_model()).double()
    generator = torch.Generator().manual_seed(1)
    for name, value in [*model.named_buffers(), *model.named_parameters()]:
        if name.endswith(("running_mean", "bias")):
            value.data.normal_(std=0.3, generator=generator)
        if name.endswith(("running_var", "gate")):
            value.data.uniform_(0.5, 1, generator=generator)
    return model.eval()


@pytest.fixture
def pair():
    generator = torch.Generator().manual_seed(2)
    return [torch.randn(1, 3, 16, 8, generator=generator, dtype=torch.float64) for _ in range(2)]
