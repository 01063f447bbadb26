"""Published counts on the real images, where they are at hand."""

import numpy as np
import pytest
from helpers.paths import DATA

from mmreid_ext.datasets import CUHK01, BenchmarkSuite, CSVDataset, Market1501, VIPeR, reid_dataset


def needs(folder):
    missing = not (DATA / folder).is_dir()
    return pytest.mark.skipif(missing, reason=f"no real images in {DATA / folder}")


@pytest.fixture(autouse=True)
def no_warnings(monkeypatch):
    messages = []
    monkeypatch.setattr(reid_dataset, "print_log", lambda text, **_: messages.append(text))
    return messages


def count(dataset, role):
    records = [dataset.get_data_info(i) for i in range(len(dataset))]
    part = [record["pid"] for record in records if record["role"] == role]
    return len(part), len(set(part) - {0})


@needs("Market-1501-v15.09.15")
def test_market1501_is_the_published_one(no_warnings):
    train = Market1501(DATA, domain_from="camera")
    assert (len(train), train.num_classes, train.num_domains) == (12936, 751, 6)
    assert np.unique(train.camids).tolist() == list(range(6))
    test = Market1501(DATA, mode="test")
    assert count(test, "query") == (3368, 750) and count(test, "gallery") == (15913, 750)
    assert (test.pids == 0).sum() == 2798 and test.pids.min() == 0  # distractors stay, junk goes
    combined = Market1501(DATA, combine_all=True)
    assert (len(combined), combined.num_classes) == (29419, 1501)
    assert no_warnings == []


@needs("Market-1501-v15.09.15")
def test_market150():
    assert len(Market1501(DATA, max_identities=150)) == 2967
    test = Market1501(DATA, mode="test", max_identities=150)
    assert count(test, "query") == (686, 150) and count(test, "gallery") == (3133, 150)


@needs("VIPeR")
def test_viper_is_the_published_one(no_warnings):
    test = VIPeR(DATA, mode="test")
    assert count(test, "query") == count(test, "gallery") == (632, 632)
    half = VIPeR(DATA, mode="test", half=2)
    assert count(half, "query") == count(half, "gallery") == (316, 316)
    assert (half.pids.min(), half.pids.max()) == (317, 632)
    assert no_warnings == []


@needs("CUHK01")
def test_half_of_cuhk01_is_noticed(no_warnings):
    dataset = CUHK01(DATA, combine_all=True)
    assert (len(dataset), dataset.num_classes) == (1940, 485)
    assert "query has 970 images (published: 1942)" in no_warnings[0]


@needs("cuhk03_p1")
def test_cuhk03_pair_by_csv():
    dataset = CSVDataset("cuhk03_p1/annotations.csv", DATA)
    assert (len(dataset), dataset.num_classes, len(set(dataset.camids))) == (7239, 743, 2)


@needs("VIPeR")
def test_images_load():
    load = dict(type="mmpretrain.LoadImageFromFile")
    suite = BenchmarkSuite([VIPeR(DATA, mode="test", half=2)], [load])
    assert suite[0]["img"].shape == (128, 48, 3)
