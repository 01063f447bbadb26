"""Tables of images: columns, rows taken, distractors, and columns that don't fit."""

import numpy as np
import pytest

from mmreid_ext.protocols import ImageTable

COLUMNS = dict(
    pids=[1, 1, 7],
    camids=[0, 1, -1],
    roles=["query", "gallery", "gallery"],
    datasets=["b", "a", "b"],
    names=["x", "y", "z"],
)


def test_lists_become_arrays_and_nobody_is_a_distractor():
    images = ImageTable(**COLUMNS)
    assert images.pids.dtype == images.camids.dtype == np.int64
    assert images.distractors.dtype == bool and not images.distractors.any()
    assert len(images) == 3 and images.set_names() == ["b", "a"] and images.title == "b, a"


def test_rows_are_taken_by_number_and_by_mask():
    images = ImageTable(**COLUMNS, distractors=[False, False, True])
    taken = images.take([2, 0])
    assert taken.names.tolist() == ["z", "x"] and taken.distractors.tolist() == [True, False]
    assert images.take(images.roles == "query").pids.tolist() == [1]
    sets = dict(images.by_dataset())
    assert {name: part.names.tolist() for name, part in sets.items()} == {
        "b": ["x", "z"],
        "a": ["y"],
    }


def test_distractors_are_marked_in_their_own_set():
    images = ImageTable(**COLUMNS)
    images.mark_distractors({"a": {"distractor_pids": [7]}, "other": {}})
    assert not images.distractors.any(), "7 of set b is a person"
    images.mark_distractors({"b": {"distractor_pids": (7, 8)}})
    assert images.distractors.tolist() == [False, False, True]
    images.mark_distractors({"b": {"distractor_pids": ()}})
    assert images.distractors[2], "a mark stays"


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (dict(pids=[1.0, 1.0, 2.0]), "pids must be integers, got float64"),
        (dict(camids=["a", "b", "c"]), "camids must be integers"),
        (dict(names=["x"]), r"names must have one entry per image, shape \(3,\), got \(1,\)"),
        (dict(distractors=[True]), "distractors must have one entry per image"),
        (dict(roles=["query", "train", "gallery"]), "roles must be .*'train'"),
    ],
)
def test_columns_that_do_not_fit_are_refused(change, message):
    with pytest.raises(ValueError, match=message):
        ImageTable(**{**COLUMNS, **change})
