import numpy as np
import pytest
import torch

from mmreid_ext.evaluation import EmbeddingSet


def images(count=6, feats=None):
    feats = torch.arange(2.0 * count).reshape(count, 2) if feats is None else feats
    roles = ["query"] * 2 + ["gallery"] * (count - 2)
    datasets = ["a"] * 3 + ["b"] * (count - 3)
    names = [f"{i}.png" if i else "" for i in range(count)]
    return EmbeddingSet(feats, range(count), [0] * count, roles, datasets, names)


def is_view(part, whole):
    return part.untyped_storage().data_ptr() == whole.untyped_storage().data_ptr()


@pytest.mark.parametrize("kind", [np.float64, np.float16, np.int64, np.float32])
def test_features_are_float32_on_the_cpu(kind):
    found = images(feats=np.arange(12).reshape(6, 2).astype(kind))
    assert found.feats.dtype == torch.float32 and found.feats[1].tolist() == [2, 3]


def test_float32_is_not_copied():
    feats = torch.rand(6, 2)
    assert images(feats=feats).feats.data_ptr() == feats.data_ptr()


def test_numbers_that_are_not_finite_name_their_images():
    feats = torch.zeros(6, 2)
    feats[[0, 4], 1] = torch.tensor([float("nan"), float("inf")])
    with pytest.raises(ValueError, match=r"2 of 6 embeddings.*\(first: row 0, 4\.png\)"):
        images(feats=feats)


@pytest.mark.parametrize("rows", [[4, 1], [False, True, False, False, True, False], []])
def test_rows_are_taken_with_all_they_show(rows):
    table = images()
    table.distractors[4] = True
    found = table.take(rows)
    picked = np.flatnonzero(rows) if len(rows) == 6 else np.array(rows, dtype=int)
    assert len(found) == len(picked)
    for field in ("pids", "camids", "roles", "datasets", "names", "distractors"):
        assert getattr(found, field).tolist() == getattr(table, field)[picked].tolist()
    assert found.feats.tolist() == table.feats[picked].tolist()


def test_neighbouring_rows_are_no_copy_and_others_are():
    table = images()
    assert table.take(np.arange(6)) is table
    for name, part in table.by_dataset():
        assert is_view(part.feats, table.feats), name
    assert table.features(np.array([2, 3])).tolist() == [[4, 5], [6, 7]]
    assert not is_view(table.features(np.array([3, 2])), table.feats)
    assert not is_view(table.features(np.array([1, 1])), table.feats)


def test_rows_from_the_end_are_found():
    table = images()
    assert table.features(np.array([-1])).tolist() == [[10, 11]]
    assert table.features(np.array([-1, 0])).tolist() == [[10, 11], [0, 1]]
    assert table.features(np.array([], dtype=np.int64)).shape == (0, 2)
