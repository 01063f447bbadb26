import pytest
import torch
import torch.nn.functional as F
from helpers.tiny_reid import tiny_model
from mmpretrain.structures import DataSample

from mmreid_ext.models.reid_model import read_targets
from mmreid_ext.registry import MODELS

META = dict(pid=42, camid=3, role="query", dataset="market", sample_idx=7)


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
    with pytest.raises(ValueError, match="'tensor', 'predict' or 'loss', got 'train'"):
        model(images(), mode="train")


def test_targets_of_a_batch():
    labels, domains = read_targets(samples((5, 0, 2), domain=3), torch.device("cpu"))
    assert labels.tolist() == [5, 0, 2] and domains.tolist() == [3, 3, 3]
    assert read_targets(samples(), torch.device("cpu"))[1].tolist() == [0, 0, 0]


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
