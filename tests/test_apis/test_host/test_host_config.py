"""MMPretrain's inferencers prepare a picture as our tests do."""

import numpy as np
import pytest
import torch
from helpers.fake_images import write_image
from helpers.small_checkpoint import write_small_checkpoint
from mmengine.config import Config
from mmpretrain.apis import FeatureExtractor

from mmreid_ext.apis import ReIDInferencer
from mmreid_ext.apis.host.host_config import in_host_form

LOADER = dict(type="mmreid_ext.LoadResized", scale=(16, 32), interpolation="bilinear")
PACK = dict(type="mmreid_ext.PackReIDInputs")


def configuration(**dataset):
    return Config(dict(val_dataloader=dict(dataset=dict(type="Any", **dataset))))


def test_the_loader_becomes_the_first_transforms():
    cfg = configuration(loader=LOADER, pipeline=[PACK])
    dataset = in_host_form(cfg).val_dataloader.dataset
    kinds = [step.type.rpartition(".")[2] for step in dataset.pipeline]
    assert kinds == ["LoadImageFromFile", "Resize", "PackReIDInputs"]
    assert dataset.pipeline[1].scale == (16, 32)
    assert dataset.pipeline[1].interpolation == "bilinear" and dataset.loader is None
    assert cfg.val_dataloader.dataset.loader == LOADER  # the given one is not changed


def test_a_pipeline_that_loads_stays():
    steps = [dict(type="LoadImageFromFile"), dict(type="Resize", scale=(16, 32)), PACK]
    assert in_host_form(configuration(pipeline=steps)).val_dataloader.dataset.pipeline == steps


@pytest.mark.parametrize("loader", [dict(type="LoadMyself"), None])
def test_a_loader_of_somebody_else_and_no_loader_stay(loader):
    cfg = configuration(loader=loader, pipeline=[])
    assert in_host_form(cfg).to_dict() == cfg.to_dict()
    assert in_host_form(Config(dict(a=1))).to_dict() == dict(a=1)


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")
def test_the_feature_extractor_gives_the_embeddings_of_our_inferencer(tmp_path):
    checkpoint = write_small_checkpoint(tmp_path)
    image = np.random.default_rng(0).integers(0, 256, (50, 30, 3), np.uint8)
    write_image(tmp_path / "a.png")
    ours = ReIDInferencer(checkpoint)
    (config,) = tmp_path.glob("*.py")
    ours.model._config = in_host_form(Config.fromfile(config))
    extractor = FeatureExtractor(ours.model, device="cpu")
    for picture in (str(tmp_path / "a.png"), image):
        (found,) = extractor(picture, stage="pre_logits")
        assert torch.equal(found, ours(picture)[0])
