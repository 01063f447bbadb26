"""Images that are augmented as a batch, against the same transforms one by one."""

import copy

import numpy as np
import pytest
import torch
from helpers.augments import pictures
from helpers.fake_accelerator import NAME, with_accelerator
from helpers.fake_images import write_market
from mmengine.registry import DefaultScope
from mmpretrain.models.utils import ClsDataPreprocessor
from torch.utils.data import DataLoader

from mmreid_ext.datasets import Market1501
from mmreid_ext.datasets.collate import reid_collate
from mmreid_ext.datasets.packing.packed_image import PackedImage
from mmreid_ext.datasets.packing.stacking import stack_packed
from mmreid_ext.datasets.samplers import PKSampler
from mmreid_ext.datasets.transforms import (
    HorizontalFlip,
    PadCrop,
    ReIDColorJitter,
    UniformAspectRandomErasing,
)
from mmreid_ext.errors import UserError
from mmreid_ext.models.batch_targets import read_targets
from mmreid_ext.models.reid_model import IMAGENET_PREPROCESSOR
from mmreid_ext.registry import MODELS

AUGMENTS = [
    dict(type="mmreid_ext.HorizontalFlip", prob=0.5),
    dict(type="mmreid_ext.PadCrop", padding=2),
    dict(type="mmreid_ext.ReIDColorJitter"),
    dict(type="mmreid_ext.UniformAspectRandomErasing", prob=0.5),
]
BATCHED = [dict(type="mmreid_ext.PackForDevice", augments=AUGMENTS)]
ONE_BY_ONE = [*AUGMENTS, dict(type="mmreid_ext.PackReIDInputs")]


def preprocessor(**changes):
    return MODELS.build(dict(IMAGENET_PREPROCESSOR, **changes))


def batch(count=6):
    kinds = (HorizontalFlip(), PadCrop(), ReIDColorJitter(), UniformAspectRandomErasing())
    augments = tuple(kind.augment for kind in kinds)
    return stack_packed(
        [
            PackedImage(image, dict(domain=i % 3), i // 2, seed=i, step=0, augments=augments)
            for i, image in enumerate(pictures(count))
        ]
    )


@pytest.fixture
def build(tmp_path):
    root = write_market(tmp_path).parent

    def build(pipeline):
        with DefaultScope.overwrite_default_scope("mmpretrain"):
            loader = dict(type="mmreid_ext.LoadResized", scale=(16, 32))
            return Market1501(root, check=False, loader=loader, pipeline=pipeline)

    return build


def prepared(dataset, start=0, stop=4, workers=0, rank=0, world_size=1, **changes):
    """Batches of the network, inputs and labels, of some iterations."""
    sampler = PKSampler(dataset, 4 // world_size, 2, seed=3, rank=rank, world_size=world_size)
    sampler.set_start(start)
    loader = DataLoader(
        dataset,
        4 // world_size,
        sampler=sampler,
        num_workers=workers,
        collate_fn=reid_collate,
    )
    network = preprocessor(**changes)
    found = []
    for data, _ in zip(loader, range(start, stop), strict=False):
        ready = network(data, training=True)
        labels, _ = read_targets(ready["data_samples"], torch.device("cpu"))
        found.append((ready["inputs"], labels))
    return found, sampler.positions


def assert_same(found, expected):
    assert len(found) == len(expected) > 0
    for (inputs, labels), (other, others) in zip(found, expected, strict=True):
        assert torch.equal(inputs, other) and torch.equal(labels, others)


@pytest.mark.parametrize("changes", [{}, dict(to_rgb=False), dict(mean=None, std=None)], ids=str)
def test_batched_equals_one_by_one_to_the_bit(build, changes):
    expected, _ = prepared(build(ONE_BY_ONE), **changes)
    found, _ = prepared(build(BATCHED), **changes)
    assert_same(found, expected)
    plain, _ = prepared(build([dict(type="mmreid_ext.PackForDevice")]), **changes)
    assert not torch.equal(plain[0][0], found[0][0])  # the augmentations do something
    assert all(inputs.is_contiguous() for inputs, _ in found)


def test_transforms_may_be_divided_anywhere(build):
    expected, _ = prepared(build(BATCHED))
    for first in range(5):
        rest = dict(type="mmreid_ext.PackForDevice", augments=AUGMENTS[first:])
        assert_same(prepared(build([*AUGMENTS[:first], rest]))[0], expected)


def test_workers_and_interruptions_change_nothing(build):
    expected, _ = prepared(build(BATCHED))
    assert_same(prepared(build(BATCHED), workers=2)[0], expected)
    assert_same(prepared(build(BATCHED), start=2)[0], expected[2:])


def test_two_ranks_see_the_images_of_one(build):
    expected, _ = prepared(build(BATCHED))
    for rank in range(2):
        found, positions = prepared(build(BATCHED), rank=rank, world_size=2)
        assert_same(found, [(inputs[positions], pids[positions]) for inputs, pids in expected])


def test_the_path_of_devices_gives_the_same():
    network, given = preprocessor(), batch()
    untouched = copy.deepcopy(given)
    host = network(given, training=True)["inputs"]
    device = network._on_device(given["inputs"], given["data_samples"].pending)
    # The levels are the same here; where a blend is rounded, one may differ on another machine.
    assert torch.equal(host, device) and device.is_contiguous()
    assert torch.equal(given["inputs"], untouched["inputs"])  # a batch may be used again


def test_options_of_mmpretrain_still_work():
    options = dict(pad_size_divisor=48, to_onehot=True, num_classes=3)
    ready = preprocessor(**options)(batch(), training=True)
    plain = preprocessor()(batch(), training=True)
    assert ready["inputs"].shape == (6, 3, 96, 48)
    assert torch.equal(ready["inputs"][..., :64, :32], plain["inputs"])
    assert [s.gt_score.argmax().item() for s in ready["data_samples"]] == [0, 0, 1, 1, 2, 2]


def test_float64_models_get_float64():
    network = preprocessor().double()
    double = network(batch(), training=True)["inputs"]
    single = preprocessor()(batch(), training=True)["inputs"]
    assert double.dtype == torch.float64 and torch.allclose(double, single.double(), atol=1e-5)


def test_other_batches_are_those_of_mmpretrain():
    images = torch.from_numpy(pictures(3)).permute(0, 3, 1, 2).contiguous()
    settings = {key: value for key, value in IMAGENET_PREPROCESSOR.items() if key != "type"}
    for training in (True, False):
        ours = preprocessor()(dict(inputs=images), training)["inputs"]
        theirs = ClsDataPreprocessor(**settings)(dict(inputs=images), training)["inputs"]
        assert torch.equal(ours, theirs)


def test_augmentations_are_never_lost_in_silence():
    with pytest.raises(UserError, match="training=False"):
        preprocessor()(batch(), training=False)
    settings = {key: value for key, value in IMAGENET_PREPROCESSOR.items() if key != "type"}
    lost = ClsDataPreprocessor(**settings)(batch(), training=True)
    with pytest.raises(UserError, match="ReIDDataPreprocessor"):
        read_targets(lost["data_samples"], torch.device("cpu"))


def on_an_accelerator(accelerator):
    network = preprocessor().to(NAME)
    given = batch()
    accelerator.forget()
    with torch.autocast("cpu", dtype=torch.bfloat16):
        ready = network(given, training=True)
    labels, domains = read_targets(ready["data_samples"], ready["inputs"].device)
    inputs = ready["inputs"]
    places = {tensor.device.type for tensor in (inputs, labels, domains)}
    return accelerator.waits, len(accelerator.sent), places, inputs.dtype, inputs.is_contiguous()


def test_the_host_does_not_wait():
    """Four transfers: images, draws, labels, domains."""
    waits, sent, places, dtype, contiguous = with_accelerator(on_an_accelerator)
    assert (waits, sent, places) == ([], 4, {NAME})
    assert dtype == torch.float32 and contiguous


def test_pixels_of_a_batch_are_eight_bits_until_they_are_there():
    assert batch()["inputs"].dtype == torch.uint8
    assert np.array_equal(batch()["inputs"].permute(0, 2, 3, 1), pictures(6))
