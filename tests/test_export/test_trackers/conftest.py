"""Frames with people, and checkpoints that normalise their images in several ways."""

from types import SimpleNamespace

import pytest
import torch
from helpers.small_checkpoint import write_small_checkpoint

from mmreid_ext.apis.embedder import build_embedder
from mmreid_ext.datasets.synthetic import drawn_frames

PREPROCESSORS = {
    "imagenet": dict(mean=[123.675, 116.28, 103.53], std=[58.395, 57.12, 57.375], to_rgb=True),
    "other": dict(mean=[90.0, 110.0, 130.0], std=[40.0, 50.0, 70.0], to_rgb=False),
}


@pytest.fixture(scope="session")
def models(tmp_path_factory):
    """``file`` and ``embedder`` of a tiny network of 256 x 128, by its preprocessing."""
    found = {}
    for name, preprocessor in PREPROCESSORS.items():
        options = {
            "model.data_preprocessor": dict(type="mmpretrain.ClsDataPreprocessor", **preprocessor),
            "val_dataloader.dataset.pipeline.1.scale": (128, 256),
            "test_dataloader.dataset.pipeline.1.scale": (128, 256),
        }
        file = write_small_checkpoint(tmp_path_factory.mktemp(name), options=options)
        embedder = build_embedder(None, file, torch.device("cpu"))
        assert (embedder.use["input"]["height"], embedder.use["input"]["width"]) == (256, 128)
        found[name] = SimpleNamespace(file=file, embedder=embedder)
    return found


@pytest.fixture(scope="session")
def frame():
    """The fullest of three frames: its ``picture`` and the ``boxes`` of its people."""
    picture, boxes = max(drawn_frames(3), key=lambda one: len(one[1]))
    return SimpleNamespace(picture=picture, boxes=boxes[:6])
