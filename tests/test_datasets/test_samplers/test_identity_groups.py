import numpy as np
import pytest

from mmreid_ext.datasets.samplers import GroupPool, IdentityGroups

KEYS = np.array([5, 2, 5, 9, 2, 5, 5, 5])  # 2: two images, 5: five, 9: one


def pool(num_instances=2, drop=False, seed=0):
    return GroupPool(IdentityGroups(KEYS), num_instances, drop, np.random.default_rng(seed))


def test_images_are_sorted_by_identity():
    groups = IdentityGroups(KEYS)
    assert groups.images.tolist() == [1, 4, 0, 2, 5, 6, 7, 3]
    assert groups.sizes.tolist() == [2, 5, 1] and groups.starts.tolist() == [0, 2, 7]
    assert len(groups) == 3
    pairs = IdentityGroups(np.stack([KEYS, np.arange(8) % 2], axis=1), np.arange(10, 18))
    assert len(pairs) == 5 and sorted(pairs.images) == list(range(10, 18))


def test_a_shuffle_stays_inside_each_identity():
    groups = IdentityGroups(KEYS)
    shuffled = groups.shuffled(np.random.default_rng(1))
    assert KEYS[shuffled].tolist() == sorted(KEYS)
    assert sorted(shuffled) == list(range(8)) and shuffled.tolist() != groups.images.tolist()


@pytest.mark.parametrize("drop, expected", [(True, [1, 2, 1]), (False, [1, 3, 1])])
def test_number_of_groups(drop, expected):
    assert IdentityGroups(KEYS).num_groups(2, drop).tolist() == expected


def test_a_pass_shows_every_image_and_tops_groups_up():
    taken = pool()
    seen = np.concatenate([taken.take(1) for _ in range(5)])  # 1 + 3 + 1 groups
    assert set(seen.ravel()) == set(range(8))
    for group in seen:
        assert len(set(KEYS[group])) == 1
        assert len(set(group)) == 2 or KEYS[group[0]] == 9  # its only image is repeated


def test_a_pass_ends_when_too_few_identities_have_groups_left():
    taken = pool(drop=True)
    first = taken.take(3)
    assert sorted(KEYS[first[:, 0]]) == [2, 5, 9]
    taken.take(2)  # 5 alone has a group left, so all four are there again before this
    assert taken._left.sum() == 2


def test_weighted_draws_prefer_identities_with_many_groups():
    keys = np.repeat([0, 1], [18, 2])
    groups, rng = IdentityGroups(keys), np.random.default_rng(0)
    first = [keys[GroupPool(groups, 2, True, rng).take(1, weighted=True)[0, 0]] for _ in range(400)]
    assert 0.85 < 1 - np.mean(first) < 0.95  # nine groups of ten; standard error 0.015
