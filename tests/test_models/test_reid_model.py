import pytest
import torch
import torch.nn.functional as F
from helpers.tiny_reid import tiny_model
from mmpretrain.structures import DataSample
from torch import nn

from mmreid_ext.models import ReIDModel
from mmreid_ext.registry import MODELS

META = dict(pid=42, camid=3, role="query", dataset="market", sample_idx=7)

BN = dict(type="BN")
HEAD = dict(
    type="mmreid_ext.BNNeckHead",
    num_classes=4,
    in_channels=512,
    losses=dict(ce=dict(type="mmreid_ext.LabelSmoothingLoss")),
)


def make_model(**options):
    torch.manual_seed(0)
    return MODELS.build({**tiny_model(), **options})


def images(seed=0):
    return torch.randn(3, 3, 16, 8, generator=torch.Generator().manual_seed(seed))


def samples(labels=(0, 0, 1), **meta):
    return [DataSample(metainfo=meta).set_gt_label(label) for label in labels]


def trained_once(model):
    """Running statistics of the images, so that evaluation means something."""
    model.train()(torch.cat([images(), images(1)]), samples((0,) * 6), mode="loss")
    return model.eval()


def test_tensor_mode_returns_normalised_embeddings():
    model = trained_once(make_model())
    embeddings = model(images())
    assert embeddings.shape == (3, model.head.in_channels) and embeddings.dtype == torch.float32
    torch.testing.assert_close(embeddings.norm(dim=1), torch.ones(3))
    features = model.extract(images())
    torch.testing.assert_close(embeddings, F.normalize(features.embeddings))
    assert not torch.allclose(embeddings, F.normalize(features.feats), atol=1e-3)


def test_predict_mode_carries_identity_and_camera():
    model = trained_once(make_model())
    given = samples(**META)
    found = model(images(), given, mode="predict")
    assert found == given
    for sample, embedding in zip(found, model(images()), strict=True):
        torch.testing.assert_close(sample.pred_embedding, embedding)
        assert {key: sample.get(key) for key in META} == META
    assert len(model(images(), mode="predict")) == 3


def test_flip_test_adds_the_mirrored_image():
    model = trained_once(make_model(flip_test=True))
    found = torch.stack([s.pred_embedding for s in model(images(), mode="predict")])
    assert torch.equal(model(images()), found)  # what is exported is what is tested
    model.flip_test = False
    expected = F.normalize(model(images()) + model(images().flip(-1)))
    model.flip_test = True
    torch.testing.assert_close(found, expected)
    mirrored = model(images().flip(-1), mode="predict")
    torch.testing.assert_close(torch.stack([s.pred_embedding for s in mirrored]), expected)
    model.flip_test = False
    assert not torch.allclose(found, model(images()), atol=1e-3)


def test_loss_mode_and_losses_by_name():
    model = make_model()
    losses = model(images(), samples(domain=1), mode="loss")
    assert set(losses) == {"loss_ce", "loss_triplet"}
    losses = model.loss_terms(images(), samples(domain=1), ("scatter",))
    assert set(losses) == {"loss_scatter"}
    with pytest.raises(ValueError, match="mode='train' must be 'tensor', 'predict' or 'loss'"):
        model(images(), mode="train")


def test_default_preprocessor_is_that_of_imagenet():
    config = tiny_model()
    del config["data_preprocessor"]
    model = MODELS.build(config)
    pixels = torch.full((1, 3, 16, 8), 255, dtype=torch.uint8)
    data = model.data_preprocessor(dict(inputs=pixels, data_samples=samples((0,))))
    expected = [(255 - 123.675) / 58.395, (255 - 116.28) / 57.12, (255 - 103.53) / 57.375]
    torch.testing.assert_close(data["inputs"][0, :, 0, 0], torch.tensor(expected))
    blue = torch.zeros(1, 3, 16, 8, dtype=torch.uint8)
    blue[:, 0] = 255  # images arrive in OpenCV's BGR
    data = model.data_preprocessor(dict(inputs=blue, data_samples=samples((0,))))
    assert data["inputs"][0, :, 0, 0].argmax() == 2


def test_names_of_batch_instance_norms():
    layers = make_model().bin_layers()
    assert list(layers)[:2] == ["backbone.bn1", "backbone.layer1.0.bn1"]
    assert not make_model(**tiny_model("BN")).bin_layers()


def test_losses_need_labels():
    with pytest.raises(ValueError, match="data_samples=None, but mode='loss' needs"):
        make_model()(images(), mode="loss")


@pytest.mark.parametrize(
    "changes",
    [
        dict(backbone=dict(type="mmreid_ext.OSNet", width=0.25), neck=None),
        dict(
            backbone=dict(type="mmpretrain.ResNet", depth=18, norm_cfg=BN),
            neck=dict(type="mmpretrain.GeneralizedMeanPooling"),
        ),
        dict(
            backbone=dict(type="mmpretrain.ResNet", depth=18, norm_cfg=BN),
            stage_plugins=dict(layer1=dict(type="mmreid_ext.MixStyle")),
        ),
    ],
    ids=["osnet", "gem", "mixstyle"],
)
def test_models_of_these_parts_train(changes):
    torch.manual_seed(0)
    model = ReIDModel(head=HEAD, **changes)
    features = model.extract(torch.randn(4, 3, 64, 32))
    F.cross_entropy(features.logits, torch.arange(4)).backward()
    without = [n for n, p in model.named_parameters() if p.requires_grad and p.grad is None]
    assert not without
    embeddings = model.eval()(torch.randn(2, 3, 64, 32))
    torch.testing.assert_close(embeddings.norm(dim=1), torch.ones(2))


def test_a_plugin_keeps_the_names_of_parameters_and_needs_a_stage():
    backbone = dict(type="mmpretrain.ResNet", depth=18, norm_cfg=BN)
    plain = ReIDModel(backbone, HEAD)
    mixed = ReIDModel(backbone, HEAD, stage_plugins=dict(layer2=dict(type="mmreid_ext.MixStyle")))
    assert {n for n, _ in plain.named_parameters()} == {n for n, _ in mixed.named_parameters()}
    assert isinstance(mixed.backbone.layer2, nn.Sequential)
    with pytest.raises(ValueError, match=r"the stage 'stage1', but ResNet has layer1, layer2"):
        ReIDModel(backbone, HEAD, stage_plugins=dict(stage1=dict(type="mmreid_ext.MixStyle")))
