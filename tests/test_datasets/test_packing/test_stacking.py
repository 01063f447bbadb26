import numpy as np
import pytest
import torch
from helpers.augments import pictures

from mmreid_ext.augmentation.mirror import Mirror
from mmreid_ext.augmentation.shift import Shift
from mmreid_ext.datasets.packing.packed_image import PackedImage
from mmreid_ext.datasets.packing.stacking import stack_packed
from mmreid_ext.errors import UserError

AUGMENTS = (Mirror(0.5), Shift(4))


def images(count=6, augments=AUGMENTS):
    return [
        PackedImage(image, dict(sample_idx=i), i, seed=i * 31, step=i % 2, augments=augments)
        for i, image in enumerate(pictures(count))
    ]


def test_a_batch_draws_what_its_images_draw():
    given = images()
    batch = stack_packed(given)
    assert batch["inputs"].shape == (6, 3, 64, 32) and batch["inputs"].dtype == torch.uint8
    pixels = batch["inputs"].permute(0, 2, 3, 1).numpy()
    assert pixels.flags.c_contiguous  # as the images lie, so nothing is transposed in a worker
    assert np.array_equal(pixels, pictures(6))
    samples = batch["data_samples"]
    assert samples.labels.tolist() == list(range(6))
    together = list(samples.pending.on_host(pixels))
    assert np.array_equal(together, [image.augmented() for image in given])


def test_labels_may_be_missing():
    given = images()
    given[2].label = None
    assert stack_packed(given)["data_samples"].labels is None


def test_images_that_do_not_fit_together_are_refused():
    with pytest.raises(UserError, match="other augments"):
        stack_packed(images() + images(augments=(Mirror(0.5),)))
    odd = images()
    odd[1].image = odd[1].image[:20]
    with pytest.raises(UserError, match=r"\(20, 32, 3\), \(64, 32, 3\)"):
        stack_packed(odd)
