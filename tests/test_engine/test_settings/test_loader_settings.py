"""Settings of a training loader become those of one rank."""

import copy

import pytest
import torch

from mmreid_ext.engine.settings.loader_settings import rank_settings, without_idle_workers
from mmreid_ext.errors import UserError


def loader(size=48, sampler="mmreid_ext.PKSampler", **of_sampler):
    return dict(batch_size=size, sampler=dict(type=sampler, num_instances=4, **of_sampler))


def test_global_batches_are_shared_out_and_the_sampler_follows():
    written = loader()
    before = copy.deepcopy(written)
    settings = rank_settings(written, True, 4)
    assert settings["batch_size"] == settings["sampler"]["batch_size"] == 12
    assert written == before


def test_batches_per_rank_stay():
    settings = rank_settings(loader(batch_size=48), False, 4)
    assert settings["batch_size"] == settings["sampler"]["batch_size"] == 48


def test_a_sampler_given_as_a_class_follows_too():
    from mmreid_ext.datasets.samplers import PKSampler

    settings = rank_settings(loader(sampler=PKSampler), True, 2)
    assert settings["sampler"]["batch_size"] == 24


def test_other_samplers_and_built_loaders_are_left_alone():
    sampler = dict(type="DefaultSampler", shuffle=True)
    settings = rank_settings(dict(batch_size=8, sampler=sampler), True, 2)
    assert settings == dict(batch_size=4, sampler=sampler)
    built = torch.utils.data.DataLoader([1, 2])
    assert rank_settings(built, True, 2) is built
    assert rank_settings(dict(batch_sampler=dict(type="x")), True, 2)["batch_sampler"]


def test_indivisible_batches_are_refused():
    with pytest.raises(UserError, match=r"meta.batch_size=25: .* of 25 images .* 2 ranks: choose"):
        rank_settings(loader(25), True, 2, "meta")


@pytest.mark.parametrize("is_global", [True, False])
def test_a_sampler_that_contradicts_its_loader_is_refused(is_global):
    message = "train_dataloader.batch_size=48, but train_dataloader.sampler.batch_size=24"
    with pytest.raises(UserError, match=message):
        rank_settings(loader(batch_size=24), is_global, 2)


def test_options_of_workers_go_where_there_is_none():
    idle = dict(num_workers=0, persistent_workers=True, prefetch_factor=4, batch_size=2)
    assert without_idle_workers(idle) == dict(num_workers=0, batch_size=2)
    busy = dict(idle, num_workers=1)
    assert without_idle_workers(busy) == busy
