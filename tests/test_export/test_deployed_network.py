import numpy as np
import pytest
import torch

from mmreid_ext.export.deployed_network import DeployedNetwork
from mmreid_ext.export.plan import INPUTS
from mmreid_ext.export.sample_images import network_input


@pytest.mark.parametrize("kind", INPUTS)
@torch.no_grad()
def test_every_kind_of_input_gives_the_embeddings_of_tests(kind, small):
    model, use = small.embedder.model, small.embedder.use["input"]
    images = network_input(small.inputs, kind, model, use)
    found = DeployedNetwork(model, kind, use)(images)
    np.testing.assert_allclose(found.numpy(), small.expected, atol=1e-6)


def test_rgb_is_turned_for_a_network_of_bgr(small):
    model = small.embedder.model
    use = dict(channel_order="BGR", mean=[1.0, 2.0, 3.0], std=[1.0, 2.0, 4.0])
    pixel = torch.tensor([10, 20, 30], dtype=torch.uint8).view(1, 1, 1, 3)
    prepared = DeployedNetwork(model, "uint8", use).prepare(pixel)
    assert prepared.flatten().tolist() == [(30 - 1) / 1, (20 - 2) / 2, (10 - 3) / 4]
    scaled = DeployedNetwork(model, "rgb01", use).prepare(pixel.permute(0, 3, 1, 2) / 255)
    torch.testing.assert_close(scaled, prepared)


def test_a_network_without_mean_takes_pixels(small):
    use = dict(channel_order="RGB", mean=None, std=None)
    pixel = torch.tensor([10, 20, 30], dtype=torch.uint8).view(1, 1, 1, 3)
    prepared = DeployedNetwork(small.embedder.model, "uint8", use).prepare(pixel)
    assert prepared.flatten().tolist() == [10, 20, 30]


def test_the_model_stays_as_it_is_and_its_copy_is_slim(small):
    model = small.embedder.model
    network = DeployedNetwork(model, "normalized", small.embedder.use["input"])
    assert model.head.classifier is not None and network.model.head.classifier is None
    assert network.model.head.losses is None
    assert network.model.backbone is not model.backbone
    assert not any(module.training for module in network.modules())
