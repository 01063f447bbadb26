import pickle

import numpy as np
import torch
from helpers.augments import pictures

from mmreid_ext.augmentation.mirror import Mirror
from mmreid_ext.augmentation.pending import PendingAugments, step_keys
from mmreid_ext.augmentation.shift import Shift

SEEDS = np.array([3, 2**63 - 1, 5], np.uint64)


def pending(seeds=SEEDS, steps=(0, 0, 0)):
    return PendingAugments.drawn((Mirror(0.5), Shift(4)), seeds, np.array(steps), 16, 8)


def test_each_step_of_each_image_draws_with_a_key_of_its_own():
    keys = {int(key) for step in range(4) for key in step_keys(SEEDS, step)}
    assert len(keys) == 12
    mirror, shift = Mirror(0.5), Shift(4)
    expected = [mirror.draw(step_keys(SEEDS, 0), 16, 8), shift.draw(step_keys(SEEDS, 1), 16, 8)]
    assert np.array_equal(pending().rows.numpy(), np.concatenate(expected, 1))


def test_a_row_belongs_to_seed_and_steps_alone():
    assert torch.equal(pending(SEEDS[1:2], [0]).rows, pending().rows[1:2])
    moved = pending(steps=[0, 1, 0]).rows
    assert torch.equal(moved[[0, 2]], pending().rows[[0, 2]])
    assert not torch.equal(moved[1], pending().rows[1])


def test_augmentations_run_in_their_order_both_ways():
    images, drawn = pictures(3, 16, 8), pending()
    expected = []
    for image, row in zip(images, drawn.rows.tolist(), strict=True):
        mirrored = Mirror(0.5).change_image(image, row[:1])
        expected.append(Shift(4).change_image(mirrored, row[1:]))
    assert np.array_equal(list(drawn.on_host(images)), expected)
    batch = torch.from_numpy(images).permute(0, 3, 1, 2)
    assert np.array_equal(drawn.on_device(batch, drawn.rows).permute(0, 2, 3, 1), expected)


def test_nothing_to_run_and_the_journey_between_processes():
    nothing = PendingAugments.drawn((), SEEDS, np.zeros(3, int), 16, 8)
    images = pictures(3, 16, 8)
    assert nothing.rows.shape == (3, 0) and np.array_equal(list(nothing.on_host(images)), images)
    carried = pickle.loads(pickle.dumps(pending()))
    assert carried.augments == pending().augments and torch.equal(carried.rows, pending().rows)
