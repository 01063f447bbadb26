"""What every list of records does, whatever reader it comes from."""

import random

import numpy as np
import pytest
import torch
from helpers.fake_images import write_market
from mmcv.transforms import BaseTransform
from torch.utils.data import DataLoader

from mmreid_ext.datasets import Market1501
from mmreid_ext.datasets.columns.kinds import OtherColumn
from mmreid_ext.datasets.samplers import Draw, PKSampler
from mmreid_ext.errors import UserTypeError

LOAD = dict(type="mmpretrain.LoadImageFromFile")


META = ("sample_idx", "img_path", "pid", "camid", "domain", "role", "dataset")


class Noise(BaseTransform):
    """Draws from all three global generators."""

    def transform(self, results):
        draws = random.random(), np.random.rand(), torch.rand(()).item()
        return dict(sample_idx=results["sample_idx"], draws=draws)


@pytest.fixture
def root(tmp_path):
    return write_market(tmp_path).parent


def build(root, **options):
    return Market1501(root, check=False, **options)


def test_arrays_are_there_without_reading_images(root):
    for image in (root / "Market-1501-v15.09.15" / "bounding_box_train").iterdir():
        image.write_bytes(b"")
    dataset = build(root, domain_from="camera")
    assert dataset.pids.tolist() == [0] * 4 + [1] * 4 + [2] * 4
    assert dataset.camids.tolist() == dataset.domains.tolist() == [0, 0, 1, 1] * 3
    assert (dataset.num_classes, dataset.num_domains, len(dataset)) == (3, 2, 12)
    assert {a.dtype for a in (dataset.pids, dataset.camids, dataset.domains)} == {np.dtype("int64")}


def test_indices_cut_records_and_arrays_alike(root):
    dataset = build(root, indices=[1, 11])
    assert dataset.pids.tolist() == [0, 2]
    assert [dataset[i]["gt_label"] for i in range(2)] == [0, 2]


@pytest.mark.parametrize("serialize_data", [True, False])
def test_lazy_reading_gives_the_same(root, serialize_data):
    lazy = build(root, lazy_init=True, serialize_data=serialize_data)
    assert lazy[3] == build(root)[3]
    assert lazy.pids.tolist() == build(root).pids.tolist()


def test_what_a_draw_gives_depends_on_its_seed_alone(root):
    dataset = build(root, pipeline=[LOAD, Noise()])
    expected = dataset[Draw(3, 77)]
    torch.rand(5), np.random.rand(5), random.random()
    assert dataset[Draw(3, 77)] == expected
    assert dataset[Draw(3, 78)]["draws"] != expected["draws"]
    assert type(expected["sample_idx"]) is int


def test_a_batch_gives_what_its_images_give_and_leaves_the_generators_alone(root):
    dataset = build(root, pipeline=[LOAD, Noise()])
    draws = [Draw(3, 77), Draw(5, 78), Draw(3, 79)]
    random.seed(0), np.random.seed(0), torch.manual_seed(0)
    expected = [dataset[draw] for draw in draws], random.random(), np.random.rand(), torch.rand(1)
    random.seed(0), np.random.seed(0), torch.manual_seed(0)
    batch = dataset.__getitems__(draws)
    assert (batch, random.random(), np.random.rand(), torch.rand(1)) == expected
    np.random.seed(0)
    plain = [dataset[3], dataset[5]]
    np.random.seed(0)
    assert [x["sample_idx"] for x in dataset.__getitems__([3, 5])] == [3, 5]
    assert plain[0]["sample_idx"] == 3


def test_plain_indices_use_the_global_generators(root):
    dataset = build(root, pipeline=[LOAD, Noise()])
    assert dataset[3]["draws"] != dataset[3]["draws"]


def test_batches_do_not_depend_on_workers(root):
    dataset = build(root, pipeline=[LOAD, Noise()])

    def batches(num_workers):
        sampler = PKSampler(dataset, 4, 2, seed=3, infinite=False)
        loader = DataLoader(dataset, 4, sampler=sampler, num_workers=num_workers, collate_fn=list)
        return list(loader)

    assert batches(0) == batches(2)


def test_pipeline_packs_metadata_and_label(root):
    from mmengine.registry import init_default_scope

    init_default_scope("mmpretrain")
    dataset = build(root, pipeline=[LOAD, dict(type="PackInputs", meta_keys=META)])
    packed = dataset[5]
    assert packed["inputs"].shape == (3, 8, 4) and packed["inputs"].dtype == torch.uint8
    assert packed["data_samples"].gt_label.tolist() == [1]
    assert set(packed["data_samples"].metainfo_keys()) >= set(META)


def test_a_transform_that_returns_nothing_is_named(root):
    class Nothing(BaseTransform):
        def transform(self, results):
            return None

    with pytest.raises(ValueError, match="Nothing.*returned None for .*0010_c1s1"):
        build(root, pipeline=[LOAD, Nothing()])[0]


def test_a_record_is_a_new_dict_whether_records_are_columns_or_dicts(root):
    columns, dicts = build(root), build(root, serialize_data=False)
    assert len(columns) == len(dicts) == len(dicts.data_list) == 12 and columns.data_list == []
    for idx in (0, 11, -1, -12, np.int64(3), Draw(5, 1)):
        record = columns.get_data_info(idx)
        assert record == dicts.get_data_info(idx) and type(record) is dict
        assert record["sample_idx"] == int(idx) % 12
        record["pid"] = -9
        assert columns.get_data_info(idx)["pid"] != -9
    with pytest.raises(IndexError):
        columns.get_data_info(12)


@pytest.mark.parametrize("indices", [5, -5, 0, [3, 1, -1, 3], range(2, 8, 2)])
def test_indices_are_those_of_a_list(root, indices):
    everything = [build(root)[i]["img_path"] for i in range(12)]
    some = build(root, indices=indices)
    if isinstance(indices, int):
        expected = everything[:indices] if indices >= 0 else everything[indices:]
    else:
        expected = [everything[i] for i in indices]
    assert some.image_paths() == expected
    assert [
        record["img_path"] for record in build(root, indices=indices, serialize_data=False)
    ] == (expected)


def test_a_data_set_is_small_arrays_for_the_workers(root):
    """A Python object that a worker reads is copied for it: each has a counter of its users."""
    dataset = build(root)
    columns = dataset.table.columns.values()
    assert not any(isinstance(column, OtherColumn) for column in columns)
    assert dataset.labels is dataset.table.ints("gt_label")
    batches = [
        [record["sample_idx"] for record in batch]
        for batch in DataLoader(dataset, 4, num_workers=2, collate_fn=list)
    ]
    assert batches == [[0, 1, 2, 3], [4, 5, 6, 7], [8, 9, 10, 11]]


def test_a_reader_that_changes_records_in_place_is_told_so(root):
    class Old(Market1501):
        def select(self, records):
            for record in records:
                record["pid"] += 1
            return super().select(records)

    with pytest.raises(UserTypeError, match="its dict is a copy"):
        Old(root, check=False)
