import os
import re
from itertools import islice
from types import SimpleNamespace

import numpy as np
import pytest
from helpers.paths import DATA

from mmreid_ext.datasets.samplers import PKSampler
from mmreid_ext.datasets.samplers.pk_sampler import STRATEGIES

SIZES = [1, 2, 3, 4, 5, 7, 8, 9, 12, 13, 17, 30]  # images per identity, around multiples of K = 4


def toy(sizes=SIZES, **arrays):
    """Images of different identities interleaved, so that index order tells nothing."""
    pids = np.random.default_rng(9).permutation(np.repeat(np.arange(len(sizes)), sizes))
    return SimpleNamespace(pids=pids, **arrays)


def batches(sampler, count):
    """The first batches of the stream, each of shape (P, K)."""
    stream = islice(sampler, count * sampler.batch_size)
    return np.array(list(stream)).reshape(count, -1, sampler.num_instances)


def slow_walk(pids, num_identities, k, drop, weighted, rng):
    """The published algorithm with plain lists: the batches of one walk, as lists of identities."""
    left = {}
    for pid in set(pids.tolist()):
        n = int((pids == pid).sum())
        left[pid] = max(1, n // k) if drop else -(-n // k)
    walk = []
    while len(left) >= num_identities:
        names = list(left)
        weights = np.array([left[p] for p in names], dtype=float) if weighted else None
        p = weights / weights.sum() if weighted else None
        chosen = rng.choice(names, size=num_identities, replace=False, p=p)
        for pid in chosen:
            left[pid] -= 1
            if left[pid] == 0:
                del left[pid]
        walk.append(chosen)
    return walk


@pytest.mark.parametrize("strategy", STRATEGIES)
def test_every_batch_is_p_distinct_identities_times_k(strategy):
    data = toy()
    pids = data.pids[batches(PKSampler(data, 16, 4, strategy=strategy, seed=1), 200)]
    assert (pids == pids[..., :1]).all(), "a group mixes identities"
    assert all(len(set(batch)) == 4 for batch in pids[..., 0]), "an identity twice in a batch"
    assert len(np.unique(pids)) == len(SIZES), "an identity never drawn"


@pytest.mark.parametrize("strategy", STRATEGIES)
def test_groups_repeat_images_only_when_they_must_and_evenly(strategy):
    data = toy()
    for group in batches(PKSampler(data, 16, 4, strategy=strategy, seed=1), 100).reshape(-1, 4):
        n = SIZES[data.pids[group[0]]]
        times = np.unique(group, return_counts=True)[1]
        assert len(times) == min(n, 4) and np.ptp(times) <= 1


@pytest.mark.parametrize("strategy", ["exhaustive_drop", "exhaustive_top_up", "remaining_weighted"])
def test_walks_follow_the_slow_algorithm(strategy):
    """Frequency of every identity, over many batches, against the obvious implementation."""
    data, drop, weighted = toy(), strategy == "exhaustive_drop", strategy == "remaining_weighted"
    rng, count = np.random.default_rng(0), 0
    expected = np.zeros(len(SIZES))
    while count < 4000:
        for chosen in slow_walk(data.pids, 3, 4, drop, weighted, rng):
            expected[chosen] += 1
            count += 1
    sampler = PKSampler(data, 12, 4, strategy=strategy, seed=0)
    measured = np.bincount(data.pids[batches(sampler, 4000)][..., 0].ravel(), minlength=len(SIZES))
    # the standard error of a share is < 0.008 over 4000 batches; four of them
    np.testing.assert_allclose(measured / 4000, expected / count, atol=0.03)


def test_a_walk_uses_no_image_twice_and_drops_only_the_remainder():
    sizes = [8] * 6  # equal sizes and P = 6: a walk is exactly 2 batches that hold all images
    walk = batches(PKSampler(toy(sizes), 24, 4, strategy="exhaustive_drop", seed=3), 10)
    for first, second in zip(walk[::2], walk[1::2], strict=True):
        assert sorted([*first.ravel(), *second.ravel()]) == list(range(48))
    sizes = [9] * 6  # one image of each identity waits for the next walk
    walk = batches(PKSampler(toy(sizes), 24, 4, strategy="exhaustive_drop", seed=3), 40)
    for first, second in zip(walk[::2], walk[1::2], strict=True):
        assert len({*first.ravel(), *second.ravel()}) == 48
    assert len(np.unique(walk)) == 54, "the same image is left out every time"


@pytest.mark.parametrize("strategy", ["exhaustive_top_up", "remaining_weighted"])
def test_top_up_walk_shows_every_image(strategy):
    sizes = [9] * 6  # 3 groups of 4: 9 images and 3 of them again
    walk = batches(PKSampler(toy(sizes), 24, 4, strategy=strategy, seed=3), 3)
    times = np.bincount(walk.ravel(), minlength=54)
    assert times.min() == 1 and times.max() == 2 and times.sum() == 72


@pytest.mark.parametrize("strategy", ["id_avg_prob", "sample_avg_prob"])
def test_probabilities_of_paddle_strategies(strategy):
    data = toy()
    sampler = PKSampler(
        data, 4, 4, strategy=strategy, seed=5
    )  # P = 1: shares are the probabilities
    measured = np.bincount(data.pids[batches(sampler, 6000)][..., 0].ravel(), minlength=12) / 6000
    weights = np.ones(12) if strategy == "id_avg_prob" else np.array(SIZES)
    # standard error <= sqrt(.27 * .73 / 6000) = 0.0058, four of them
    np.testing.assert_allclose(measured, weights / weights.sum(), atol=0.023)


def test_images_of_an_identity_are_equally_likely():
    data = toy([6, 6, 6])
    images = batches(PKSampler(data, 4, 4, strategy="id_avg_prob", seed=5), 9000)
    share = np.bincount(images.ravel(), minlength=18) / images.size
    np.testing.assert_allclose(share, 1 / 18, atol=0.006)  # standard error < 0.0013


def test_iterations_per_epoch():
    # 111 images; topped up to 4+4+4+4+8+8+8+12+12+16+20+32 = 132, cut to 4*6+8+8+12+12+16+28 = 108
    expected = {
        "exhaustive_drop": 6,  # floor(108 / 16)
        "exhaustive_top_up": 7,  # floor(132 / 16) - 1
        "remaining_weighted": 8,
        "id_avg_prob": 7,  # ceil(111 / 16)
        "sample_avg_prob": 7,
    }
    for strategy, iterations in expected.items():
        sampler = PKSampler(toy(), 16, 4, strategy=strategy, seed=0)
        assert sampler.iterations_per_epoch == iterations
        assert len(sampler) == iterations * 16
        halves = PKSampler(toy(), 8, 4, strategy=strategy, seed=0, rank=1, world_size=2)
        assert halves.iterations_per_epoch == iterations and len(halves) == iterations * 8


def test_market1501_epoch_is_that_of_the_references():
    folder = DATA / "Market-1501-v15.09.15" / "bounding_box_train"
    if not folder.is_dir():
        pytest.skip(f"needs Market-1501 in {folder} (set MMREID_DATA_ROOT)")
    names = (re.match(r"(\d+)_c\d.*\.jpg$", name) for name in os.listdir(folder))
    data = SimpleNamespace(pids=np.array([int(m[1]) for m in names if m]))
    assert len(data.pids) == 12936
    assert PKSampler(data, 96, seed=0).iterations_per_epoch == 145  # E of MetaBIN and PaddleClas
    prob = PKSampler(data, 64, strategy="sample_avg_prob", seed=0)
    assert prob.iterations_per_epoch == 203  # PaddleClas, one process
    four = PKSampler(data, 64, strategy="sample_avg_prob", seed=0, rank=0, world_size=4)
    assert four.iterations_per_epoch == 51  # and four


def test_errors_name_numbers_and_remedy():
    with pytest.raises(
        ValueError, match=r"batch_size=18 .* multiple of num_instances = 4; use 16 or"
    ):
        PKSampler(toy(), 18, 4, seed=0)
    with pytest.raises(ValueError, match=r"needs 16 identities, the dataset has 12; .* at most 48"):
        PKSampler(toy(), 64, 4, seed=0)
    with pytest.raises(ValueError, match=r"needs 16 identities.* at most 24"):
        PKSampler(toy(), 32, 4, seed=0, rank=0, world_size=2)
    with pytest.raises(ValueError, match="strategy='bot' is unknown; use one of .*exhaustive_drop"):
        PKSampler(toy(), 16, strategy="bot", seed=0)
