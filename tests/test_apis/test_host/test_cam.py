"""Class activation maps by grad-cam: which places make two pictures alike.

grad-cam is in the environment that ``bash tools/test_stacks.sh --only upstream-newest`` makes.
"""

import numpy as np
import pytest
import torch
from helpers.small_checkpoint import write_small_checkpoint

from mmreid_ext.apis import ReIDInferencer

grad_cam = pytest.importorskip("pytorch_grad_cam", reason="needs grad-cam, see test_stacks.sh")


def test_a_map_shows_where_a_similarity_comes_from(tmp_path):
    model = ReIDInferencer(write_small_checkpoint(tmp_path), device="cpu").model
    torch.manual_seed(0)
    images = torch.randn(1, 3, 32, 16)
    other = torch.nn.functional.normalize(torch.randn(model(images).shape[1]), dim=0)
    with grad_cam.GradCAM(model, [model.backbone.layer1[-1]]) as cam:
        (shown,) = cam(images, [lambda embedding: embedding @ other])
    assert shown.shape == (32, 16) and np.isfinite(shown).all()
    assert shown.min() >= 0 and shown.max() > 0
