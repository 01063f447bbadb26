import numpy as np
from helpers.augments import pictures
from mmcv.transforms.utils import cache_random_params

from mmreid_ext.augmentation.pending import step_keys
from mmreid_ext.datasets.isolated_rng import isolated_rng
from mmreid_ext.datasets.transforms import PadCrop
from mmreid_ext.datasets.transforms.drawn import STEPS, seed_of


def results(**more):
    return dict(img=pictures(1)[0], **more)


def test_draws_belong_to_seed_and_place():
    transform, image = PadCrop(), results(draw_seed=7)
    first, second = transform.draw(image), transform.draw(image)
    assert first != second and image[STEPS] == 2
    keys = step_keys(np.array([7], np.uint64), 1)
    assert second == transform.augment.draw(keys, 64, 32)[0].tolist()
    assert transform.draw(results(draw_seed=7)) == first


def test_without_a_seed_it_comes_from_numpys_generator_once():
    with isolated_rng(3):
        image = results()
        seed = seed_of(image)
        assert seed_of(image) == seed
    with isolated_rng(3):
        assert seed_of(results()) == seed
    with isolated_rng(4):
        assert seed_of(results()) != seed


def test_mmcvs_wrappers_can_share_draws():
    transform = PadCrop()
    with cache_random_params(transform):
        assert transform.draw(results(draw_seed=1)) == transform.draw(results(draw_seed=2))
