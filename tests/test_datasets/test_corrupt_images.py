import numpy as np
import pytest
import torch
from helpers.fake_images import write_image, write_market
from torch.utils.data import DataLoader

from mmreid_ext.datasets import Market1501, corrupt_images
from mmreid_ext.datasets.corrupt_images import (
    UnreadableImageError,
    load_image,
    replacements,
)

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


@pytest.mark.parametrize("content", [b"", b"not an image"])
def test_error_names_the_file_and_the_identity(market, content):
    path = damage(market, 5, content)
    dataset = train_set(market)
    with pytest.raises(UnreadableImageError) as error:
        dataset[5]
    assert path in str(error.value) and "identity 20" in str(error.value)
    assert "on_corrupt='skip'" in str(error.value)


def test_error_names_a_file_that_vanished(market):
    dataset = train_set(market)
    path = sorted((market / "bounding_box_train").iterdir())[0]
    path.unlink()
    with pytest.raises(UnreadableImageError, match=path.name):
        dataset[0]


def test_a_cut_off_jpeg_is_unreadable_even_if_the_decoder_takes_it(tmp_path):
    path = write_image(tmp_path / "a.jpg")
    record = dict(img_path=str(path), pid=1, dataset="set")
    assert load_image(lambda record: record, record) is record
    path.write_bytes(path.read_bytes()[:-9])
    with pytest.raises(UnreadableImageError, match="cut off"):
        load_image(lambda record: record, record)


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
