"""What MMPretrain's tools call on a model works on ours."""

import numpy as np
import pytest
import torch
from helpers.small_vit import HEAD, vit
from mmengine.config import Config
from mmpretrain.apis import FeatureExtractor
from mmpretrain.engine.optimizers import LearningRateDecayOptimWrapperConstructor

from mmreid_ext.errors import UserError
from mmreid_ext.models import ReIDModel


def resnet(depth=18):
    backbone = dict(type="mmpretrain.ResNet", depth=depth, stem_channels=4, base_channels=4)
    channels = 32 if depth == 18 else 128
    return ReIDModel(backbone, dict(HEAD, in_channels=channels)).eval()


def test_features_of_every_stage():
    model, images = resnet(), torch.randn(2, 3, 64, 32)
    (maps,) = model.extract_feat(images, stage="backbone")
    assert maps.shape == (2, 32, 2, 1)
    (pooled,) = model.extract_feat(images)
    torch.testing.assert_close(pooled, maps.mean((2, 3)))
    assert torch.equal(model.extract_feat(images, "pre_logits"), model(images))
    with pytest.raises(UserError, match="stage='logits'"):
        model.extract_feat(images, "logits")


@pytest.mark.parametrize("build", [vit, lambda: resnet(50)], ids=["ViT", "ResNet-50"])
def test_layer_wise_learning_rates(build):
    model = build()
    constructor = LearningRateDecayOptimWrapperConstructor(
        dict(type="OptimWrapper", optimizer=dict(type="SGD", lr=1.0, weight_decay=0.0)),
        paramwise_cfg=dict(layer_decay_rate=0.5),
    )
    groups = constructor(model).optimizer.param_groups
    rates = {id(p): group["lr"] for group in groups for p in group["params"]}
    assert len(set(rates.values())) > 2
    assert rates[id(model.head.classifier.weight)] == 1.0
    first = next(model.backbone.parameters())
    assert rates[id(first)] == min(rates.values())


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("stage, shape", [("backbone", (32, 2, 1)), ("neck", (32,))])
def test_mmpretrains_feature_extractor(stage, shape):
    pipeline = [
        dict(type="LoadImageFromFile"),
        dict(type="Resize", scale=(32, 64)),
        dict(type="mmreid_ext.PackReIDInputs"),
    ]
    model = resnet()
    model._config = Config(dict(test_dataloader=dict(dataset=dict(pipeline=pipeline))))
    extractor = FeatureExtractor(model, device="cpu")
    image = np.zeros((80, 30, 3), np.uint8)
    ((maps,),) = extractor(image, stage=stage)
    assert maps.shape == shape
    (embedding,) = extractor(image, stage="pre_logits")
    torch.testing.assert_close(embedding.norm(), torch.tensor(1.0))


def test_backbones_without_depths_say_so():
    with pytest.raises(UserError, match="ResNet doesn't number its layers"):
        resnet(18).get_layer_depth("backbone.conv1.weight")
    with pytest.raises(UserError, match="MobileNetV2 doesn't number its layers"):
        ReIDModel(
            dict(type="mmpretrain.MobileNetV2"), dict(HEAD, in_channels=1280)
        ).get_layer_depth("backbone.conv1.weight")
