import numpy as np
import pytest
import torch
from helpers.augments import pictures

from mmreid_ext.augmentation.color_batch import change_colors
from mmreid_ext.augmentation.color_host import OPERATIONS


def changed(images, operation, factors, bgr):
    batch = torch.from_numpy(images).permute(0, 3, 1, 2).float()
    numbers = torch.full((len(images),), float(operation))
    result = change_colors(batch, numbers, torch.from_numpy(factors), bgr)
    return result.permute(0, 2, 3, 1).numpy().astype(int)


@pytest.mark.parametrize("bgr", [True, False])
@pytest.mark.parametrize("operation", range(4))
def test_each_operation_is_that_of_the_host(operation, bgr):
    rng, images = np.random.default_rng(0), pictures(48)
    factors = rng.uniform(0.2, 1.8, 48) if operation < 3 else rng.integers(-127, 128, 48)
    factors = factors.astype(np.float32)
    one_by_one = [
        OPERATIONS[operation](i, f, bgr) for i, f in zip(images, factors.tolist(), strict=True)
    ]
    gap = np.abs(changed(images, operation, factors, bgr) - np.array(one_by_one))
    # Hue is integer arithmetic; blends may round the last bit of float32 differently.
    assert gap.max() <= (operation < 3) and (gap > 0).mean() < 1e-4


def test_images_of_one_batch_have_operations_of_their_own():
    images = pictures(5)
    operations, factors = torch.tensor([3.0, -1, 0, 2, 1]), torch.tensor([30.0, 9, 1.3, 0.5, 0.7])
    batch = torch.from_numpy(images).permute(0, 3, 1, 2).float()
    together = change_colors(batch.clone(), operations, factors, True)
    for place in range(5):
        here = slice(place, place + 1)
        alone = change_colors(batch[here].clone(), operations[here], factors[here], True)
        assert torch.equal(together[here], alone)
    assert torch.equal(together[1], batch[1])  # -1: nothing
