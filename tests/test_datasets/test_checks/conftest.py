"""A shop's list of four pictures, and what is said while sets are read."""

import pytest
from helpers.fake_images import write_images
from helpers.shop_list import HEAD

from mmreid_ext.datasets import CSVDataset, multi_source, reid_dataset


@pytest.fixture
def said(monkeypatch):
    texts = []
    monkeypatch.setattr(reid_dataset, "print_log", lambda text, **_: texts.append(text))
    monkeypatch.setattr(multi_source, "print_log", lambda text, **_: texts.append(text))
    return texts


@pytest.fixture
def make(tmp_path):
    def build(rows, mode="test", **options):
        write_images(tmp_path / "shop", "q.jpg", "g.jpg", "a.jpg", "b.jpg")
        (tmp_path / "shop" / "list.csv").write_text(HEAD + rows)
        return CSVDataset("shop/list.csv", tmp_path, mode=mode, **options)

    return build
