"""What other programs do to pixels, undone inside the file."""

import numpy as np
import pytest
import torch

from mmreid_ext.errors import UserError
from mmreid_ext.export.deployed_network import DeployedNetwork
from mmreid_ext.export.description import describe
from mmreid_ext.export.normalization import IMAGENET, IMAGENET_ON_BGR, Normalization
from mmreid_ext.export.plan import ExportPlan
from mmreid_ext.export.sample_images import network_input

OWN = Normalization((100.0, 90.0, 80.0), (50.0, 40.0, 30.0), "BGR")


def test_whose_normalization_it_is():
    use = dict(height=4, width=2, steps=[], **OWN.entries())
    assert OWN.is_that_of(use) and not IMAGENET.is_that_of(use)
    assert not OWN.is_that_of(use | dict(channel_order="RGB"))
    assert not OWN.is_that_of(use | dict(mean=None, std=None))


@pytest.mark.parametrize("outside", [IMAGENET, IMAGENET_ON_BGR, OWN], ids=["rgb", "bgr", "own"])
@pytest.mark.parametrize("inside", [IMAGENET.entries(), OWN.entries(), None], ids=str)
@torch.no_grad()
def test_whatever_is_done_outside_the_network_sees_its_own_input(outside, inside, small):
    use = inside or dict(channel_order="RGB", mean=None, std=None)
    bgr = torch.tensor([10, 20, 30], dtype=torch.uint8).view(1, 3, 1, 1)
    fed = (
        np.array([30, 20, 10] if outside.channel_order == "RGB" else [10, 20, 30])
        - np.array(outside.mean)
    ) / outside.std
    given = torch.tensor(fed, dtype=torch.float32).view(1, 3, 1, 1)
    wanted = np.array([30.0, 20, 10] if use["channel_order"] == "RGB" else [10.0, 20, 30])
    if use["mean"]:
        wanted = (wanted - use["mean"]) / use["std"]
    network = DeployedNetwork(small.embedder.model, "normalized", use, outside)
    np.testing.assert_allclose(network.prepare(given).flatten(), wanted, atol=1e-4, rtol=1e-6)
    if not outside.is_that_of(use):
        made = network_input(bgr, "normalized", None, use, outside)
        np.testing.assert_allclose(made.flatten(), fed, rtol=1e-6)


def test_what_fits_is_left_alone(small):
    network = DeployedNetwork(small.embedder.model, "normalized", OWN.entries(), OWN)
    images = torch.zeros(1, 3, 2, 2)
    assert network.prepare(images) is images


def test_the_description_is_that_of_the_file_not_of_the_model(small):
    plan = ExportPlan(small.folder, outside=OWN)
    found = describe(small.embedder.use, plan, small.file)["input"]
    assert {name: found[name] for name in OWN.entries()} == OWN.entries()


def test_only_normalized_images_are_normalised_outside(tmp_path):
    with pytest.raises(UserError, match=r"input='rgb01' has mean and deviation inside"):
        ExportPlan(tmp_path, input="rgb01", outside=IMAGENET)
