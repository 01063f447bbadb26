import numpy as np
import pytest
import torch
from helpers.fake_images import write_market
from torch.utils.data import DataLoader

from mmreid_ext.datasets import Market1501, corrupt_images
from mmreid_ext.datasets.corrupt_images import replacements
from mmreid_ext.datasets.loading import UnreadableImageError

PIPELINE = [dict(type="mmpretrain.LoadImageFromFile")]


@pytest.fixture
def market(tmp_path):
    return write_market(tmp_path)


def train_set(market, **options):
    return Market1501(market.parent, pipeline=PIPELINE, check=False, **options)


def damage(market, index, content=b"not an image"):
    path = sorted((market / "bounding_box_train").iterdir())[index]
    path.write_bytes(content)
    return str(path)


def test_replacements_are_the_next_images_of_the_identity_own_domain_first():
    labels = np.array([0, 1, 0, 0, 1, 0, 0])
    domains = np.array([0, 0, 1, 0, 0, 0, 1])
    assert replacements(2, labels, domains).tolist() == [6, 3, 5, 0]
    assert replacements(5, labels, domains).tolist() == [0, 3, 6, 2]
    assert replacements(4, labels, domains).tolist() == [1]


def test_skip_takes_another_image_of_the_identity_counts_and_reports_once(market, monkeypatch):
    reports = []
    monkeypatch.setattr(corrupt_images, "print_log", lambda text, **_: reports.append(text))
    path = damage(market, 5)
    dataset = train_set(market, on_corrupt="skip")
    for _ in range(3):
        taken = dataset[5]
        assert taken["pid"] == 20 and taken["img_path"] != path
        assert taken["sample_idx"] == 6
    assert len(dataset.corrupt) == 1 and dataset.corrupt.indices == [5]
    assert dataset[-7]["sample_idx"] == 6  # the same image, counted from the end
    assert len(reports) == 1 and path in reports[0]
    assert "1 unreadable images so far" in reports[0]


def test_skip_passes_over_further_unreadable_images(market):
    for index in (5, 6, 7):
        damage(market, index)
    assert train_set(market, on_corrupt="skip")[5]["sample_idx"] == 4


def test_skip_gives_up_where_the_identity_has_no_readable_image(market):
    for index in (4, 5, 6, 7):
        damage(market, index)
    with pytest.raises(UnreadableImageError, match="No other image of the identity"):
        train_set(market, on_corrupt="skip")[5]


def test_workers_count_into_the_same_register(market):
    damage(market, 2), damage(market, 9)
    dataset = train_set(market, on_corrupt="skip")
    loader = DataLoader(dataset, num_workers=2, collate_fn=len)
    torch.set_num_threads(1)
    assert sum(1 for _ in loader) == len(dataset)
    assert dataset.corrupt.indices == [2, 9]


def test_skip_is_not_for_testing(market):
    with pytest.raises(ValueError, match="is for training"):
        train_set(market, mode="test", on_corrupt="skip")
