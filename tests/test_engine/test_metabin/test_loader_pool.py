"""When base and meta batches share workers, and what the loaders of both are."""

import multiprocessing

import pytest
from helpers.tiny_reid import tiny_runner

from mmreid_ext.engine.metabin.alternating_batches import AlternatingBatches
from mmreid_ext.engine.metabin.loader_pool import build_loaders, can_share, without_workers

BASE = dict(batch_size=32, num_workers=4, sampler=1, dataset=dict(type="a"), pin_memory=True)


@pytest.mark.parametrize(
    ("meta", "shared"),
    [
        (dict(batch_size=8, sampler=2), True),
        (dict(batch_size=8, sampler=2, drop_last=True, num_workers=1), True),
        (dict(batch_size=8, sampler=2, dataset=dict(type="a")), True),
        (dict(batch_size=8, sampler=2, dataset=dict(type="b")), False),
        (dict(batch_size=8, sampler=2, pin_memory=False), False),
        (dict(batch_size=8, sampler=2, collate_fn=dict(type="c")), False),
    ],
)
def test_loaders_of_the_same_images_share_workers(meta, shared):
    assert can_share(BASE, meta) is shared


def test_a_loader_without_workers():
    settings = dict(BASE, persistent_workers=True, prefetch_factor=4)
    expected = dict(BASE, num_workers=0, persistent_workers=False)
    assert without_workers(settings) == expected
    assert settings["num_workers"] == 4


@pytest.mark.parametrize("own", [False, True])
def test_no_process_starts_when_loaders_are_built(tmp_path, own):
    runner = tiny_runner(tmp_path, batch_size=16, num_workers=2)
    loop = runner._train_loop
    base_settings, meta_settings = runner._train_dataloader, dict(loop["meta_dataloader"])
    if own:
        meta_settings["dataset"] = dict(type="mmreid_ext.TinyReID5")
    others = set(multiprocessing.active_children())
    base, meta = build_loaders(runner, base_settings, meta_settings, 2)
    assert set(multiprocessing.active_children()) <= others
    assert (meta.dataset is base.dataset) is not own
    assert isinstance(meta.batch_sampler, AlternatingBatches) is not own
    assert (base.num_workers, meta.num_workers) == ((2, 2) if own else (0, 4))
