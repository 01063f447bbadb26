"""Every configuration exports; in small, with gates between 0 and 1 and statistics of images.

In an untrained network norms are nearly the identity, and most of what could go wrong in them
wouldn't show.
"""

import cv2
import numpy as np
import pytest
import torch
from helpers.paths import CONFIGS
from helpers.shrunk_models import different_models, shrunk, small_size
from mmengine.config import Config
from mmengine.registry import DefaultScope

from mmreid_ext.checkpoint.usage import deployment_info
from mmreid_ext.checkpoint.usage.image_steps import final_size, image_steps
from mmreid_ext.deploy.image_step import read_steps
from mmreid_ext.deploy.preprocessing import follow
from mmreid_ext.deploy.record_fields import Fields
from mmreid_ext.export.agreement import compare
from mmreid_ext.export.deployed_network import DeployedNetwork
from mmreid_ext.export.engines import has_engine, open_file
from mmreid_ext.export.graph.tensorrt import obstacles
from mmreid_ext.export.quiet import quiet
from mmreid_ext.export.sample_images import drawn_people, network_input
from mmreid_ext.export.writers import describe_onnx, write_onnx
from mmreid_ext.image_loading import steps_of
from mmreid_ext.registry import MODELS

onnx = pytest.importorskip("onnx")
pytest.importorskip("onnxruntime")

MODELS_BY_NAME = different_models()
WARM_UP = 10


@pytest.fixture(scope="module")
def people():
    return list(drawn_people(16))


def size_of(name):
    """Height and width of the images.

    An instance's variance over the eight pixels that 64 x 32 leave can nearly vanish; then PyTorch
    itself is off by 1e-4 in float32.
    """
    if name == "metabin_r50":
        return 256, 128
    return (128, 64) if any(word in name for word in ("metabin", "ibn")) else small_size(name)


@torch.no_grad()
def lively(settings, inputs):
    """A model with random gates whose running statistics are those of the images."""
    torch.manual_seed(0)
    with DefaultScope.overwrite_default_scope("mmpretrain"):
        model = MODELS.build(shrunk(settings))
    for layer in model.backbone.modules():
        if isinstance(layer, torch.nn.Conv2d):  # PyTorch's own let activations fade away
            torch.nn.init.kaiming_normal_(layer.weight, nonlinearity="relu")
        elif "ResNet" in str(settings["backbone"]["type"]) and hasattr(layer, "running_var"):
            # Sums of many branches of full size differ by little, and norms would enlarge that.
            torch.nn.init.uniform_(layer.weight, 0.2, 0.8)
    for layer in model.bin_layers().values():
        layer.gate.data.uniform_()
    prepared = model.data_preprocessor({"inputs": inputs}, training=False)["inputs"]
    model.train()
    for _ in range(WARM_UP):
        feats = model.pool(prepared)
        getattr(model.head, "neck", torch.nn.Identity())(feats)
    return model.eval()


@pytest.mark.parametrize("path", sorted(CONFIGS.glob("*.py")), ids=lambda path: path.stem)
def test_embedder_follows_its_test_images(path):
    steps = steps_of(Config.fromfile(path).test_dataloader.dataset)
    found = image_steps(steps.transforms, steps.loader)
    height, width = final_size(found)
    read = read_steps(Fields(dict(steps=found), "input.", path.name))
    images = [np.zeros((*size, 3), np.uint8) for size in ((105, 105), (300, 100), (200, 260))]
    for image in images:
        assert follow(read, image, "The image").shape == (height, width, 3)


@pytest.mark.parametrize("name", MODELS_BY_NAME)
@torch.no_grad()
def test_it_computes_what_pytorch_does(name, people, tmp_path):
    height, width = size_of(name)
    pictures = np.stack([cv2.resize(picture, (width, height)) for picture in people])
    inputs = torch.from_numpy(pictures.transpose(0, 3, 1, 2).copy())
    model = lively(MODELS_BY_NAME[name], inputs)
    use = deployment_info(model, ())["input"]
    images = network_input(inputs, "uint8", model, use)
    prepared = model.data_preprocessor({"inputs": inputs}, training=False)["inputs"]
    expected = model.embed(prepared)
    file = tmp_path / "model.onnx"
    with quiet():
        write_onnx(DeployedNetwork(model, "uint8", use), images[:2], file, "torchscript", None)
    describe_onnx(file, {"embedding": {"size": expected.shape[1]}})
    assert obstacles(onnx.load(str(file))) == []
    for engine in filter(has_engine, ("OpenVINO", "ONNX Runtime")):
        run = open_file(engine, file)
        found = compare(engine, run, images.numpy(), expected.numpy(), "fp32")
        assert found.is_fine, found.text
    assert expected.std(0).mean() > 1e-3, "embeddings differ, or a comparison would say nothing"
    same_everywhere = torch.full_like(inputs[:2], 99)  # of no variance
    found = run(network_input(same_everywhere, "uint8", model, use).numpy())
    prepared = model.data_preprocessor({"inputs": same_everywhere}, training=False)["inputs"]
    assert np.isfinite(found).all()
    # A norm magnifies rounding by up to 1 / sqrt(eps), 316, where there is no variance.
    np.testing.assert_allclose(found, model.embed(prepared).numpy(), atol=3e-4)
    np.testing.assert_allclose(found[0], found[1], atol=1e-6)
