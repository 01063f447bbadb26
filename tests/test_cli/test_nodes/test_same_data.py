"""Ranks that have read other data are named before training."""

import numpy as np
import pytest

from mmreid_ext.cli.nodes import same_data
from mmreid_ext.cli.nodes.same_data import SameDataHook, fingerprint, require_same
from mmreid_ext.errors import UserError


class Pictures:
    def __init__(self, folder, pids=(1, 1, 2)):
        self.folder, self.pids = folder, np.array(pids)

    def __len__(self):
        return len(self.pids)

    def get_data_info(self, place):
        return dict(img_path=str(self.folder / "train" / f"{place}.jpg"))


class Loader:
    def __init__(self, dataset):
        self.dataset, self.sampler, self.batch_size = dataset, object(), 2


def folder(root, sizes=(1, 2, 3)):
    (root / "train").mkdir(parents=True)
    for place, size in enumerate(sizes):
        (root / "train" / f"{place}.jpg").write_bytes(b"x" * size)
    return root


@pytest.fixture
def verdict(tmp_path, monkeypatch):
    """Compare the data of rank 1 with those of rank 0."""

    def compare(first, other):
        descriptions = [fingerprint(Loader(data)) for data in (first, other)]
        monkeypatch.setattr(
            same_data, "gather_objects", lambda mine: list(zip("ab", descriptions, strict=True))
        )
        require_same(descriptions[0])

    return compare


def test_equal_data_at_different_places(tmp_path, verdict):
    verdict(Pictures(folder(tmp_path / "a")), Pictures(folder(tmp_path / "b")))


def test_other_labels_numbers_files(tmp_path, verdict):
    first = Pictures(folder(tmp_path / "a"))
    with pytest.raises(UserError, match=r"rank 1 on b has read other data: .*pids \(checksum\)"):
        verdict(first, Pictures(tmp_path / "a", (1, 2, 2)))
    with pytest.raises(UserError, match="images is 2 there, 3 on rank 0; .*data_root"):
        verdict(first, Pictures(tmp_path / "a", (1, 1)))
    with pytest.raises(UserError, match="image 1 is train/1.jpg of 9 bytes there, .* of 2 bytes"):
        verdict(first, Pictures(folder(tmp_path / "c", (1, 9, 3))))
    with pytest.raises(UserError, match="image 0 is train/0.jpg of -1 bytes there"):
        verdict(first, Pictures(tmp_path / "nowhere"))


def test_one_rank_compares_nothing(monkeypatch):
    monkeypatch.setattr(same_data, "require_same", lambda mine: pytest.fail("compared"))
    SameDataHook().before_train(object())


def test_a_big_set_is_sampled(tmp_path):
    described = fingerprint(Loader(Pictures(tmp_path, range(10_000))))
    assert sum(name.startswith("image ") for name in described) == same_data.LOOKED_AT
