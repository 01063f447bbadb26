from itertools import islice
from types import SimpleNamespace

import numpy as np
import pytest

from mmreid_ext.datasets.samplers import DomainPKSampler


def toy(sizes=(40, 90, 25), images=7, cameras=3, shared=False):
    """Domains of different numbers of identities; ``shared``: identities 0..n-1 in every domain."""
    rng = np.random.default_rng(4)
    domains = (
        np.repeat(np.arange(len(sizes)), np.array(sizes) * images) * 10 + 5
    )  # labels 5, 15, 25
    pids = np.concatenate([np.repeat(np.arange(n), images) for n in sizes])
    if not shared:
        pids += np.repeat(np.cumsum((0, *sizes[:-1])), np.array(sizes) * images)
    order = rng.permutation(len(pids))
    camids = rng.integers(0, cameras, len(pids))
    return SimpleNamespace(pids=pids[order], domains=domains[order], camids=camids)


def batches(sampler, count):
    stream = islice(sampler, count * sampler.batch_size)
    return np.array(list(stream)).reshape(count, -1, sampler.num_instances)


@pytest.mark.parametrize("by_camera", [False, True], ids=["identity", "identity-camera"])
@pytest.mark.parametrize("shared", [False, True], ids=["disjoint", "shared"])
def test_every_batch_is_balanced_and_domain_major(by_camera, shared):
    data = toy(shared=shared)
    sampler = DomainPKSampler(data, 48, 4, group_by_camera=by_camera, seed=0)
    groups = batches(sampler, 200)  # (200, 12, 4)
    domains, pids, camids = data.domains[groups], data.pids[groups], data.camids[groups]
    assert (domains == np.repeat([5, 15, 25], 4)[:, None]).all()
    assert (pids == pids[..., :1]).all()
    if by_camera:
        assert (camids == camids[..., :1]).all()
        keys = pids[..., 0] * 1000 + camids[..., 0]
    else:
        assert (np.ptp(camids, axis=-1) > 0).any()
        keys = pids[..., 0]
    per_domain = keys.reshape(200, 3, 4)
    assert all(len(set(four)) == 4 for batch in per_domain for four in batch)


def test_identity_and_camera_never_collide():
    """(1, 12) and (11, 2) are different keys: string concatenation would merge them."""
    pids = np.repeat([1, 11, 1, 11], 4)
    camids = np.repeat([12, 2, 12, 2], 4)
    data = SimpleNamespace(pids=pids, camids=camids, domains=np.repeat([0, 0, 1, 1], 4))
    groups = batches(DomainPKSampler(data, 16, 4, group_by_camera=True, seed=0), 20)
    assert (np.ptp(pids[groups], axis=-1) == 0).all()


def test_each_domain_walks_through_all_its_groups_before_it_repeats():
    data = toy(sizes=(8, 16), images=8)  # 16 and 32 groups; 4 of each domain per batch
    sampler = DomainPKSampler(data, 32, 4, seed=2)
    assert sampler.iterations_per_epoch == 8
    groups = batches(sampler, 8).reshape(8, 2, 4 * 4)
    # The last batch of a walk may find too few identities left; before it no image comes twice.
    small, large = groups[:, 0], groups[:, 1]
    assert np.bincount(small[:3].ravel()).max() == 1
    assert np.bincount(large[:6].ravel()).max() == 1


@pytest.mark.parametrize("world_size", [1, 2, 4])
def test_every_rank_gets_an_equal_share_of_every_domain(world_size):
    data = toy()
    whole = batches(DomainPKSampler(data, 96, 4, seed=7), 30).reshape(30, -1)
    parts = []
    for rank in range(world_size):
        sampler = DomainPKSampler(
            data, 96 // world_size, 4, seed=7, rank=rank, world_size=world_size
        )
        part = batches(sampler, 30)
        expected = np.repeat([5, 15, 25], 8 // world_size)[:, None]
        assert (data.domains[part] == expected).all()
        parts.append(part.reshape(30, -1))
    together = np.concatenate(parts, axis=1)
    np.testing.assert_array_equal(np.sort(together), np.sort(whole))


def test_groups_are_dealt_in_turn_inside_each_domain():
    data = toy()
    whole = batches(DomainPKSampler(data, 48, 4, seed=7), 5).reshape(5, 3, 4, 4)
    for rank in range(2):
        part = batches(DomainPKSampler(data, 24, 4, seed=7, rank=rank, world_size=2), 5)
        np.testing.assert_array_equal(part.reshape(5, 3, 2, 4), whole[:, :, rank::2])


def test_identities_of_a_domain_are_equally_likely():
    data = toy(sizes=(10, 20), images=4)
    pids = data.pids[batches(DomainPKSampler(data, 16, 4, seed=1), 1000)][..., 0]
    share = np.bincount(pids.ravel(), minlength=30) / 2000
    expected = np.repeat([1 / 10, 1 / 20], [10, 20])
    np.testing.assert_allclose(share, expected, atol=0.01)  # walks make it far tighter than chance


def test_errors_name_numbers_and_remedy():
    data = toy()
    with pytest.raises(
        ValueError, match=r"batch_size=40 .* 3 domains x num_.*=4 = 12; use 36 or 48"
    ):
        DomainPKSampler(data, 40, 4, seed=0)
    with pytest.raises(ValueError, match=r"batch_size=8 .*; use 12\.$"):
        DomainPKSampler(data, 8, 4, seed=0)
    with pytest.raises(
        ValueError, match=r"needs 30 identities per domain; .*\{25: 25\}.* at most 300"
    ):
        DomainPKSampler(data, 360, 4, seed=0)
    with pytest.raises(ValueError, match=r"\{25: 25\}.* at most 144"):
        DomainPKSampler(data, 180, 4, seed=0, rank=0, world_size=2)
    DomainPKSampler(data, 144, 4, seed=0, rank=0, world_size=2)
    one = SimpleNamespace(pids=data.pids, domains=np.zeros_like(data.pids))
    with pytest.raises(ValueError, match=r"at least 2 domains, the dataset has 1: .* PKSampler"):
        DomainPKSampler(one, 16, 4, seed=0)
    with pytest.raises(TypeError, match=r"SimpleNamespace.domains is missing"):
        DomainPKSampler(SimpleNamespace(pids=data.pids), 16, 4, seed=0)
    with pytest.raises(TypeError, match=r"camids is missing"):
        no_cameras = SimpleNamespace(pids=data.pids, domains=data.domains)
        DomainPKSampler(no_cameras, 48, 4, group_by_camera=True, seed=0)
    with pytest.raises(ValueError, match=r"domains has 3 entries, but .pids has 1085"):
        DomainPKSampler(SimpleNamespace(pids=data.pids, domains=np.arange(3)), 48, 4, seed=0)
