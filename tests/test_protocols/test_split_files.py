"""Split files: ours, those that others publish, and files that are none."""

import numpy as np
import pytest
from helpers.protocol_images import grid, listed_splits, small_set, write_splits

from mmreid_ext.protocols import build_protocol
from mmreid_ext.protocols.split_files import IdentitySplits, read_splits


def test_published_image_lists(tmp_path):
    splits = [
        {
            "train": [],
            "query": [["/home/a/VIPeR/cam_a/002.png", 0, 0], ["/home/a/VIPeR/cam_a/004.png", 1, 0]],
            "gallery": [
                ["x/cam_b/002.png", 0, 1],
                ["x/cam_b/004.png", 1, 1],
                ["x/cam_b/005.png", 2, 1],
            ],
        }
    ]
    images = small_set()
    (split,) = listed_splits(tmp_path, splits, images)
    assert images.names[split.query].tolist() == ["data/cam_a/002.png", "data/cam_a/004.png"]
    assert (
        images.pids[split.gallery].tolist() == [2, 4, 5]
        and (images.camids[split.gallery] == 1).all()
    )
    splits[0]["query"][0][0] = "cam_c/009.png"
    with pytest.raises(ValueError, match="'cam_c/009.png'.*'bench' has 0"):
        listed_splits(tmp_path, splits, images)


def test_published_identity_lists(tmp_path):
    names = lambda *ids: [f"person_{i:04d}" for i in ids]  # noqa: E731
    content = [
        {"train": names(1, 2), "test": names(3, 4)},
        {"train": names(4, 3), "test": names(2, 1)},
    ]
    images = small_set()
    splits = listed_splits(tmp_path, content, images)
    assert [sorted(images.pids[s.query]) for s in splits] == [[3, 4], [1, 2]]
    # identity 5 is in no list: a distractor of both splits
    assert [sorted(images.pids[s.gallery]) for s in splits] == [[3, 4, 5], [1, 2, 5]]
    content[0]["test"] = names(3, 9)
    with pytest.raises(ValueError, match=r"1 identities that test set 'bench'.* of: 9\."):
        listed_splits(tmp_path, content, images)


def test_published_grid_partitions(tmp_path):
    scipy_io = pytest.importorskip("scipy.io")
    partitions = np.empty((1, 10), dtype=object)
    for trial in range(10):
        # a structure whose third field is the row of training identities
        partitions[0, trial] = {"a": 1, "b": 2, "trainIdx": np.arange(1, 126) + trial}
    path = tmp_path / "features_and_partitions.mat"
    scipy_io.savemat(path, {"trainIdxAll": partitions})
    images = grid()
    splits = list(build_protocol(dict(type="split_list", file=str(path))).splits(images))
    assert len(splits) == 10 and len(splits[3].query) == 125 and len(splits[3].gallery) == 900
    assert not set(images.pids[splits[3].query]) & set(range(4, 129))


@pytest.mark.parametrize("content", [{"a": 1}, [1, 2], [{"train": []}], []])
def test_other_files_are_refused(tmp_path, content):
    with pytest.raises(ValueError, match="not a split file"):
        listed_splits(tmp_path, content, small_set())


def test_missing_file_is_named():
    with pytest.raises(FileNotFoundError, match="'nowhere.json'.*'viper'"):
        list(build_protocol(dict(type="split_list", file="nowhere.json")).splits(small_set()))


@pytest.mark.parametrize("name", ["viper", "prid2011", "grid", "ilids"])
def test_shipped_files_are_read_by_name(name):
    splits = read_splits(name)
    assert isinstance(splits, IdentitySplits) and splits.by_position and len(splits.splits) == 10
    sizes = {len(ids) for ids in splits.splits}
    assert len(sizes) == 1 and max(map(max, splits.splits)) < splits.count


def test_our_format_keeps_its_settings(tmp_path):
    content = {"format": "mmreid_ext-splits-1", "splits": [[2, 4]], "by_position": False}
    splits = read_splits(write_splits(tmp_path, {**content, "query": {"camid": 1}, "count": None}))
    assert splits == IdentitySplits([[2, 4]], by_position=False, query={"camid": 1})
    with pytest.raises(ValueError, match="not a split file"):
        read_splits(write_splits(tmp_path, {**content, "format": "other"}))


def test_names_without_a_number_are_refused(tmp_path):
    content = [{"train": ["person_1"], "test": ["nobody"]}]
    with pytest.raises(ValueError, match="identity 'nobody' contains no number"):
        read_splits(write_splits(tmp_path, content))
