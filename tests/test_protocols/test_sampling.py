"""Random samples of images: one stream for every version of NumPy, fair, distractors kept."""

import numpy as np
import pytest
from helpers.protocol_images import table

from mmreid_ext.protocols.sampling import one_per_identity, stable_generator


def test_the_stream_is_the_frozen_one():
    """Written out, since NumPy promises this stream (NEP 19)."""
    assert stable_generator(0).permutation(8).tolist() == [6, 2, 1, 7, 3, 0, 5, 4]
    assert stable_generator(2**32 - 1).permutation(3).shape == (3,)


@pytest.mark.parametrize("seed", [-1, 2**32, 1.5, "0", None])
def test_other_seeds_are_refused(seed):
    with pytest.raises(ValueError, match="seed="):
        stable_generator(seed)


def images():
    rows = [(5, 0, "gallery")] * 3 + [(2, 0, "gallery")] * 2 + [(9, 0, "gallery")] * 2
    return table(rows, lone=(5, 6))


def test_one_image_of_each_identity_and_all_distractors():
    generator = stable_generator(3)
    chosen = [one_per_identity(np.arange(7), images(), generator).tolist() for _ in range(300)]
    for rows in chosen:
        assert rows[0] in (3, 4) and rows[1] in (0, 1, 2) and rows[2:] == [5, 6]
    # standard error of a share of 1/3 over 300 samples: 0.027; four of them
    shares = np.bincount([rows[1] for rows in chosen]) / 300
    assert np.abs(shares - 1 / 3).max() < 0.11


def test_only_the_given_rows_are_chosen_from():
    assert one_per_identity(np.array([1, 6]), images(), stable_generator(0)).tolist() == [1, 6]
