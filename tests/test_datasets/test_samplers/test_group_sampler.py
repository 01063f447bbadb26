"""What both samplers inherit: streams, starts, ranks, seeds, data loaders."""

import time
from itertools import islice
from types import SimpleNamespace

import numpy as np
import pytest
from torch.utils.data import DataLoader, Dataset

from mmreid_ext.datasets.samplers import DomainPKSampler, Draw, PKSampler, draw_seeds
from mmreid_ext.datasets.samplers.pk_sampler import STRATEGIES
from mmreid_ext.registry import DATA_SAMPLERS


def toy(num_ids=60, images=9):
    pids = np.repeat(np.arange(num_ids), images)
    return SimpleNamespace(pids=pids, camids=np.arange(len(pids)) % 4, domains=pids % 2)


def make(kind, batch_size=32, **kwargs):
    if kind == "domain":
        return DomainPKSampler(toy(), batch_size, 4, **kwargs)
    return PKSampler(toy(), batch_size, 4, strategy=kind, **kwargs)


def draws(sampler, count):
    """The first draws as (index, seed) pairs."""
    return [(int(draw), draw.seed) for draw in islice(sampler, count)]


KINDS = [*STRATEGIES, "domain"]
every_kind = pytest.mark.parametrize("kind", KINDS)


@every_kind
def test_order_is_a_function_of_seed_and_iteration(kind):
    reference = draws(make(kind, seed=3), 40 * 32)
    assert draws(make(kind, seed=3), 40 * 32) == reference
    sampler = make(kind, seed=3)
    for start in (0, 1, 17, 39):
        sampler.set_start(start)
        assert draws(sampler, 32) == reference[start * 32 : start * 32 + 32]
        assert draws(make(kind, seed=3, start_iteration=start), 32) == draws(sampler, 32)
    other = draws(make(kind, seed=4), 40 * 32)
    assert not {seed for _, seed in reference} & {seed for _, seed in other}
    assert [i for i, _ in reference] != [i for i, _ in other]


@every_kind
def test_seeds_are_those_of_the_global_positions(kind):
    sampler = make(kind, seed=3, start_iteration=1022)
    expected = draw_seeds(3, np.arange(1022 * 32, 1026 * 32)).tolist()
    assert [seed for _, seed in draws(sampler, 4 * 32)] == expected


@every_kind
def test_start_across_the_border_of_a_block(kind):
    sampler = make(kind, seed=3, start_iteration=1020)
    reference = draws(sampler, 10 * 32)
    for start in (1023, 1024, 1025):
        sampler.set_start(start)
        assert draws(sampler, 32) == reference[(start - 1020) * 32 :][:32]
    first = [index for index, _ in draws(make(kind, seed=3), 32)]
    again = [index for index, _ in reference[4 * 32 : 5 * 32]]
    assert again != first, "every block repeats the first"


def test_two_iterators_do_not_disturb_each_other():
    sampler = make("domain", seed=3)
    one, reference = iter(sampler), draws(sampler, 64)
    next(one)
    sampler.set_start(9)  # an iterator that already exists keeps its place
    assert [int(d) for d in islice(one, 63)] == [i for i, _ in reference[1:]]


def test_starting_late_is_cheap():
    pids = np.repeat(np.arange(751), 17)  # the size of Market-1501
    data = SimpleNamespace(pids=pids, camids=pids % 6, domains=np.arange(len(pids)) % 6)
    for sampler in (PKSampler(data, 96, seed=0), DomainPKSampler(data, 96, seed=0)):
        sampler.set_start(98 * 1024 - 1)  # about 100k, and the last of a block: the worst case
        start = time.process_time()
        next(iter(sampler))
        assert time.process_time() - start < 1.0  # takes 0.1 to 0.2 s


@every_kind
@pytest.mark.parametrize("world_size", [2, 4])
def test_same_indices_and_seeds_on_any_number_of_ranks(kind, world_size):
    count, start = 12, 1018
    whole = draws(make(kind, seed=11, start_iteration=start), count * 32)
    size = 32 // world_size
    parts = [
        draws(
            make(kind, size, seed=11, start_iteration=start, rank=rank, world_size=world_size),
            count * size,
        )
        for rank in range(world_size)
    ]
    for n in range(count):
        shares = [part[n * size : (n + 1) * size] for part in parts]
        assert sorted(sum(shares, [])) == sorted(whole[n * 32 : (n + 1) * 32])
        assert len({seed for share in shares for _, seed in share}) == 32, "ranks overlap"
        if kind != "domain":
            assert sum(shares, []) == whole[n * 32 : (n + 1) * 32]  # rank order = order of one


@every_kind
def test_finite_epochs_are_cut_from_the_infinite_stream(kind):
    sampler = make(kind, seed=3, infinite=False)
    stream = draws(make(kind, seed=3), 2 * len(sampler))
    assert draws(sampler, 10**6) == stream[: len(sampler)]
    sampler.set_epoch(1)
    assert draws(sampler, 10**6) == stream[len(sampler) :]


def test_set_epoch_leaves_an_infinite_stream_where_it_is():
    sampler = make("domain", seed=3, start_iteration=7)
    expected = draws(sampler, 32)
    sampler.set_epoch(0)  # MMEngine's DistSamplerSeedHook does this after a resume, too
    assert draws(sampler, 32) == expected


def test_seed_none_draws_a_seed():
    assert isinstance(make("domain", seed=None).seed, int)


def test_base_and_meta_sampler_with_one_seed_draw_differently(monkeypatch):
    def first_random_numbers(self, rng):
        while True:
            yield rng.integers(0, 10**9, (8, 4))

    streams = []
    for sampler_class in (PKSampler, DomainPKSampler):
        monkeypatch.setattr(sampler_class, "global_batches", first_random_numbers)
        streams.append(sorted(i for i, _ in draws(sampler_class(toy(), 32, seed=0), 32)))
    assert streams[0] != streams[1]


class Echo(Dataset):
    """Returns what it was asked for."""

    def __len__(self):
        return len(toy().pids)

    def __getitem__(self, index):
        assert isinstance(index, Draw)
        return int(index), index.seed


@pytest.mark.parametrize("num_workers", [0, 2])
def test_stock_data_loader_keeps_the_order(num_workers):
    sampler = make("exhaustive_drop", 16, seed=5, start_iteration=3)
    loader = DataLoader(
        Echo(), batch_size=16, sampler=sampler, num_workers=num_workers, drop_last=True
    )
    assert len(loader) == sampler.iterations_per_epoch
    expected = draws(sampler, 6 * 16)
    loaded = []
    for indices, seeds in islice(loader, 6):
        loaded += list(zip(indices.tolist(), seeds.tolist(), strict=True))
    assert loaded == expected


def test_registered_for_configurations():
    config = dict(type="mmreid_ext.PKSampler", dataset=toy(), batch_size=8, seed=0)
    assert isinstance(DATA_SAMPLERS.build(config), PKSampler)


@pytest.mark.parametrize(
    ("change", "error", "message"),
    [
        (dict(batch_size=0), ValueError, "batch_size=0 must be at least 1"),
        (dict(num_instances=-4), ValueError, "num_instances=-4 must be at least 1"),
        (dict(batch_size=16.0), TypeError, "batch_size=16.0 must be an integer"),
        (dict(rank=2, world_size=2), ValueError, r"rank=2 is not in \[0, 2\)"),
        (dict(seed=-1), ValueError, "seed=-1 must be at least 0"),
        (dict(start_iteration=-3), ValueError, "iteration=-3 must be at least 0"),
        (dict(dataset=SimpleNamespace()), TypeError, "pids is missing"),
        (dict(dataset=SimpleNamespace(pids=[])), ValueError, "pids is empty"),
        (dict(dataset=SimpleNamespace(pids=[0.5])), TypeError, "1-D integers, got float64"),
    ],
    ids=lambda value: str(value)[:30] if isinstance(value, dict) else "",
)
def test_errors(change, error, message):
    arguments = dict(dataset=toy(), batch_size=16, seed=0) | change
    with pytest.raises(error, match=message):
        PKSampler(**arguments)
