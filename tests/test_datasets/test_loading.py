"""One way to load: in training, in tests and in applications, in the old form and in the new."""

import cv2
import numpy as np
import pytest
import torch
from helpers.fake_images import write_image, write_market
from helpers.tiny_reid import tiny_model
from mmcv.transforms import LoadImageFromFile
from mmengine.config import Config
from mmengine.dataset import Compose
from mmengine.registry import DefaultScope

from mmreid_ext.apis import ReIDInferencer
from mmreid_ext.checkpoint.usage import deployment_info
from mmreid_ext.datasets import BenchmarkSuite, Market1501, MultiSourceDataset
from mmreid_ext.datasets.loading import (
    UnreadableImageError,
    build_loader,
    load_array,
    load_image,
)
from mmreid_ext.datasets.samplers.draw import Draw
from mmreid_ext.datasets.transforms import LoadResized
from mmreid_ext.errors import UserError
from mmreid_ext.image_loading import evaluation_steps
from mmreid_ext.registry import MODELS

RESIZED = dict(type="mmreid_ext.LoadResized", scale=(16, 32), interpolation="bilinear")
FILE = dict(type="mmpretrain.LoadImageFromFile")
RESIZE = dict(type="mmpretrain.Resize", scale=(16, 32), interpolation="bilinear")
CROP = dict(type="mmreid_ext.PadCrop", padding=3)
PACK = dict(type="mmreid_ext.PackReIDInputs")
FORMS = {
    "loader": dict(loader=RESIZED, pipeline=[CROP, PACK]),
    "first transform": dict(pipeline=[RESIZED, CROP, PACK]),
    "two transforms": dict(pipeline=[FILE, RESIZE, CROP, PACK]),
    "default loader": dict(pipeline=[RESIZE, CROP, PACK]),
    "loader and resizing": dict(loader=FILE, pipeline=[RESIZE, CROP, PACK]),
    "built": dict(loader=LoadResized((16, 32), "bilinear"), pipeline=[CROP, PACK]),
}


@pytest.fixture
def market(tmp_path):
    return write_market(tmp_path)


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("mode", ["train", "test"])
def test_every_form_gives_the_same_pixels(market, form, mode):
    def images(settings):
        root, kind = market.parent, MultiSourceDataset if mode == "train" else BenchmarkSuite
        source = dict(type="mmreid_ext.Market1501", data_root=root, check=False)
        single = Market1501(root, mode, check=False, **settings)
        several = kind([source], **settings)
        return [part[Draw(3, seed=7)] for part in (single, several)]

    for one, other in zip(images(FORMS["two transforms"]), images(FORMS[form]), strict=True):
        assert torch.equal(one["inputs"], other["inputs"])
        assert one["data_samples"].metainfo == other["data_samples"].metainfo


@pytest.mark.parametrize("form", FORMS)
def test_applications_and_the_record_of_use_see_the_same_image(tmp_path, form):
    torch.manual_seed(0)
    normalize = dict(type="ImgDataPreprocessor", mean=[100.0] * 3, std=[50.0] * 3)
    network = dict(tiny_model(), data_preprocessor=normalize)
    with DefaultScope.overwrite_default_scope("mmengine"):
        model = MODELS.build(network)
    torch.save(dict(state_dict=model.state_dict()), tmp_path / "w.pth")
    path = write_image(tmp_path / "a.png", size=(40, 24))
    without_crop = {**FORMS[form], "pipeline": [s for s in FORMS[form]["pipeline"] if s != CROP]}

    def used(settings):
        cfg = Config(
            dict(default_scope="mmengine", model=network, test_dataloader=dict(dataset=settings))
        )
        steps = evaluation_steps(cfg)
        if form == "built":  # settings are what is recorded
            return ReIDInferencer(cfg, tmp_path / "w.pth", "cpu"), None
        info = deployment_info(model, steps.transforms, network, steps.loader)["input"]
        return ReIDInferencer(cfg, tmp_path / "w.pth", "cpu"), info

    expected, recorded = used(dict(pipeline=[FILE, RESIZE, PACK]))
    embed, info = used(without_crop)
    assert info == recorded and (info is None or (info["height"], info["width"]) == (32, 16))
    embedding = embed([path])
    assert torch.equal(embedding, expected([path]))
    assert torch.equal(embedding, embed([cv2.imread(str(path))]))


def test_two_loaders_are_one_too_many(market):
    with pytest.raises(UserError, match="loader=LoadResized is given .* LoadImageFromFile, which"):
        Market1501(market.parent, check=False, loader=RESIZED, pipeline=[FILE, PACK])


def test_without_pipeline_and_loader_items_are_records(market):
    assert "img" not in Market1501(market.parent, check=False)[0]
    assert Market1501(market.parent, check=False, loader=RESIZED)[0]["img"].shape == (32, 16, 3)


def test_a_pipeline_that_is_switched_in_brings_its_loader(market):
    """MMPretrain's ``SwitchRecipeHook`` sets the pipeline in the middle of a training."""
    dataset = Market1501(market.parent, check=False, loader=RESIZED, pipeline=[PACK])
    dataset.pipeline = Compose([RESIZED | dict(scale=(8, 24)), PACK])
    assert dataset[0]["inputs"].shape == (3, 24, 8)
    dataset.pipeline = Compose([PACK])
    assert dataset[0]["inputs"].shape == (3, 24, 8)


@pytest.mark.parametrize("content", [b"", b"not an image"])
def test_error_names_the_file_and_the_identity(market, content):
    path = sorted((market / "bounding_box_train").iterdir())[5]
    path.write_bytes(content)
    dataset = Market1501(market.parent, loader=FILE, check=False)
    with pytest.raises(UnreadableImageError) as error:
        dataset[5]
    assert str(path) in str(error.value) and "identity 20" in str(error.value)
    assert "on_corrupt='skip'" in str(error.value)


def test_error_names_a_file_that_vanished(market):
    dataset = Market1501(market.parent, loader=FILE, check=False)
    path = sorted((market / "bounding_box_train").iterdir())[0]
    path.unlink()
    with pytest.raises(UnreadableImageError, match=path.name):
        dataset[0]


def test_a_cut_off_jpeg_is_unreadable_even_if_the_decoder_takes_it(tmp_path):
    path = write_image(tmp_path / "a.jpg")
    record = dict(img_path=str(path), pid=1, dataset="set")
    assert load_image(lambda record: record, record) is record
    path.write_bytes(path.read_bytes()[:-9])
    with pytest.raises(UnreadableImageError, match="cut off"):
        load_image(lambda record: record, record)


def test_a_machine_without_memory_is_not_blamed_on_the_picture(tmp_path):
    def no_memory(record):
        raise MemoryError

    with pytest.raises(MemoryError):
        load_image(no_memory, dict(img_path=str(tmp_path / "none.jpg")))


LOADERS = {
    "color": LoadImageFromFile(),
    "floats": LoadImageFromFile(to_float32=True),
    "gray": LoadImageFromFile(color_type="grayscale"),
    "resized": LoadResized((16, 32)),
}


@pytest.mark.parametrize("name", LOADERS)
def test_an_array_is_loaded_as_a_file_of_it(tmp_path, name):
    path = str(write_image(tmp_path / "a.png", size=(40, 24)))
    of_file = load_image(LOADERS[name], dict(img_path=path))["img"]
    of_array = load_array(LOADERS[name], cv2.imread(path), {})["img"]
    assert of_array.dtype == of_file.dtype and np.array_equal(of_array, of_file)


def test_loaders_are_built_from_settings():
    assert build_loader(None) is None
    assert build_loader(LOADERS["gray"]) is LOADERS["gray"]
    with DefaultScope.overwrite_default_scope("mmpretrain"):
        assert isinstance(build_loader(dict(type="LoadImageFromFile")), LoadImageFromFile)
