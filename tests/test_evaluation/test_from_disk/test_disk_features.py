"""Features on disk read like a tensor, whatever parts they are in."""

import numpy as np
import pytest
import torch

from mmreid_ext.array_files.npy import MappedArray
from mmreid_ext.evaluation.from_disk import disk_features
from mmreid_ext.evaluation.from_disk.disk_features import (
    DiskFeatures,
    chosen_rows,
    in_memory,
    strung,
)


@pytest.fixture
def both(tmp_path, monkeypatch):
    """A matrix in four parts, one of them empty and one of 16 bits, and the same as a tensor."""
    monkeypatch.setattr(disk_features, "_FORGET_AFTER", 100)
    whole = np.random.default_rng(0).standard_normal((23, 5)).astype(np.float16).astype(np.float32)
    for number, part in enumerate(np.split(whole, [7, 7, 15])):
        np.save(tmp_path / f"{number}.npy", part.astype([">f4", "<f2"][number == 3]))
    parts = [MappedArray(tmp_path / f"{number}.npy") for number in range(4)]
    return DiskFeatures(parts), torch.from_numpy(whole)


def test_rows_are_those_of_the_tensor(both):
    disk, whole = both
    assert (disk.shape, len(disk), disk.nbytes) == (whole.shape, 23, whole.nbytes)
    assert torch.equal(disk.load(), whole)
    for index in (
        slice(3, 20), slice(0, 0), slice(14, None), slice(None, None, 3),
        torch.tensor([22, 0, 8, 8]), torch.arange(23) % 3 == 1, torch.tensor([], dtype=torch.int64),
    ):  # fmt: skip
        assert torch.equal(disk[index], whole[index]), index
    assert all(map(torch.equal, disk.split(4), whole.split(4)))
    with pytest.raises(TypeError, match="load"):
        np.asarray(disk)


def test_selections_of_selections(both):
    disk, whole = both
    for rows in (np.arange(5, 18), np.array([20, 3, 3, 11]), np.arange(23) % 2 == 0, np.arange(0)):
        some, expected = disk.take(rows), whole[torch.from_numpy(rows)]
        assert torch.equal(some.load(), expected) and some.shape == expected.shape
        assert torch.equal(some[1:3], expected[1:3])
        again = np.arange(len(expected))[::-1][:2].copy()
        assert torch.equal(some.take(again).load(), expected[torch.from_numpy(again)])
        mask = torch.arange(len(expected)) % 2 == 0
        assert torch.equal(chosen_rows(some, mask).load(), expected[mask])
        assert torch.equal(chosen_rows(expected, mask), expected[mask])


def test_others_in_front(both):
    disk, whole = both
    first = torch.ones(2, 5)
    for some, expected in ((disk, whole), (disk.take(np.arange(4, 9)), whole[4:9])):
        assert torch.equal(strung(first, some).load(), torch.cat([first, expected]))
        assert torch.equal(strung(first, expected), torch.cat([first, expected]))
        again = disk.take(np.array([9, 2]))
        assert torch.equal(strung(again, some).load(), torch.cat([whole[[9, 2]], expected]))


def test_one_more_column(both):
    disk, whole = both
    values = np.arange(23) % 3 == 0
    more, expected = disk.with_column(values), torch.cat([whole, torch.tensor(values)[:, None]], 1)
    assert more.shape == expected.shape and torch.equal(more.load(), expected)
    for index in (slice(3, 20), torch.tensor([22, 0, 8, 8]), torch.arange(23) % 3 == 1):
        assert torch.equal(more[index], expected[index])
    rows = np.array([20, 3, 3])
    assert torch.equal(more.take(rows).to("cpu").load(), expected[torch.from_numpy(rows)])


def test_neighbouring_rows_in_memory_are_no_copy():
    whole = torch.arange(24.0).view(8, 3)
    for rows in (torch.arange(8) > 4, torch.tensor([2, 3, 4]), torch.tensor([6])):
        some = chosen_rows(whole, rows)
        assert torch.equal(some, whole[rows])
        assert some.untyped_storage().data_ptr() == whole.untyped_storage().data_ptr()
    for rows in (torch.tensor([4, 3]), torch.tensor([1, 1]), torch.arange(8) < 0):
        assert torch.equal(chosen_rows(whole, rows), whole[rows])


def test_neighbours_in_memory_are_strung_together_without_a_copy():
    whole = torch.arange(24.0).view(8, 3)
    joined = strung(whole[1:3], whole[3:])
    assert torch.equal(joined, whole[1:]) and joined.data_ptr() == whole[1:].data_ptr()
    others = [
        (whole[1:3], whole[4:]), (whole[3:], whole[1:3]), (whole[:, :2][1:3], whole[:, :2][3:]),
        (whole[:4], whole[4:].clone()), (whole.T[:, :4], whole.T[:, 4:].T.reshape(3, 4)),
    ]  # fmt: skip
    for first, second in others:
        joined = strung(first, second)
        assert torch.equal(joined, torch.cat([first, second]))
        assert joined.data_ptr() not in (first.data_ptr(), second.data_ptr())


def test_small_ones_are_read(both):
    disk, whole = both
    assert in_memory(whole) is whole
    assert torch.equal(in_memory(disk), whole) and torch.equal(in_memory(disk, 460), whole)
    assert in_memory(disk, 459) is disk
