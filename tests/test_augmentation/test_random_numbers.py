import numpy as np

from mmreid_ext.augmentation.random_numbers import integers, mix, number_of, numbers_of, uniforms

_MASK = 2**64 - 1


def splitmix(seed, count):
    """The published generator, one number after the other, with Python's integers."""
    numbers = []
    for _ in range(count):
        seed = (seed + 0x9E3779B97F4A7C15) & _MASK
        z = seed
        z = ((z ^ (z >> 30)) * 0xBF58476D1CE4E5B9) & _MASK
        z = ((z ^ (z >> 27)) * 0x94D049BB133111EB) & _MASK
        numbers.append(z ^ (z >> 31))
    return numbers


def test_the_numbers_are_those_of_splitmix():
    seeds = np.array([0, 1, 2**63 - 1], np.uint64)
    for place, seed in enumerate(seeds.tolist()):
        found = [int(numbers_of(seeds, counter)[place]) for counter in range(5)]
        assert found == splitmix(seed, 5) == [number_of(seed, counter) for counter in range(5)]
    assert len(np.unique(mix(np.arange(1000, dtype=np.uint64)))) == 1000


def test_each_image_draws_by_itself_and_any_part_of_its_stream():
    keys = np.arange(40, dtype=np.uint64)
    numbers = uniforms(keys, 6)
    assert numbers.shape == (40, 6) and (numbers >= 0).all() and (numbers < 1).all()
    for some in (keys[7:8], keys[7:9]):  # one image is computed by Python's integers
        assert np.array_equal(uniforms(some, 2, first=3), numbers[7 : 7 + len(some), 3:5])
    # 5 standard deviations of a mean of 40,000 uniform numbers
    many = uniforms(np.arange(10_000, dtype=np.uint64), 4)
    assert abs(many.mean() - 0.5) < 5 / np.sqrt(12 * 40_000)
    assert np.abs(np.corrcoef(many.T) - np.eye(4)).max() < 5 / np.sqrt(10_000)


def test_integers_are_uniform():
    numbers = integers(uniforms(np.arange(7000, dtype=np.uint64), 1), 7)
    counts = np.bincount(numbers.ravel(), minlength=7)
    assert len(counts) == 7 and np.abs(counts - 1000).max() < 5 * np.sqrt(1000)
    assert np.array_equal(integers(np.array([0.5, 0.99]), np.array([2, 3])), [1, 2])
