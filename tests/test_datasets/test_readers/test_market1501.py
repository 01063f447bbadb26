from pathlib import Path

import pytest
from helpers.fake_images import write_images
from helpers.reader_trees import TREES, check_records, rows

from mmreid_ext.datasets import Market1501
from mmreid_ext.datasets.readers import market1501
from mmreid_ext.errors import MissingFileError


def test_records_of_the_published_layout(tmp_path):
    check_records(
        Market1501,
        tmp_path,
        combined=(4, 3),
        train=[(2, 0), (7, 5)],
        query=[(1, 1)],
        gallery=[(0, 2), (1, 0)],
    )


def write_drawn(root, *names):
    folder = write_images(root / "Market-1501-v15.09.15", *TREES[Market1501][1].split())
    write_images(folder, "query/0001_c3s1_000301_00.jpg", *(f"gt_bbox/{name}" for name in names))


BOXES = ("0001_c2s1_000301_00.jpg", "0001_c2s1_000326_00.jpg", "0001_c1s1_000401_00.jpg")


def test_multi_query_asks_with_the_hand_drawn_boxes_of_the_queries(tmp_path, monkeypatch):
    said = []
    monkeypatch.setattr(market1501, "print_log", lambda text, **_: said.append(text))
    write_drawn(tmp_path, *BOXES, "0002_c2s1_000301_00.jpg", "0001_c3s1_000301_00.jpg")
    test = Market1501(tmp_path, "test", check=False, multi_query=True)
    queries = [Path(record["img_path"]) for record in test.table if record["role"] == "query"]
    assert [path.name for path in queries] == [
        *BOXES[:2],  # not that of another camera, and not that of a person of the training
        "0001_c3s1_000301_00.jpg",
    ]
    assert {path.parent.name for path in queries} == {"gt_bbox"} and not said
    assert test.metainfo["test_sets"] == {
        "market1501_multi_query": {"protocol": "multi_query", "distractor_pids": [0]}
    }
    assert rows(test, "gallery") == rows(Market1501(tmp_path, "test", check=False), "gallery")
    assert len(Market1501(tmp_path, check=False, multi_query=True)) == 2


def test_a_query_without_a_drawn_box_is_asked_alone(tmp_path, monkeypatch):
    said = []
    monkeypatch.setattr(market1501, "print_log", lambda text, **_: said.append(text))
    write_drawn(tmp_path, *BOXES)
    test = Market1501(tmp_path, "test", check=False, multi_query=True)
    assert sorted(rows(test, "query")) == [(1, 1), (1, 1), (1, 2)]
    assert "no picture for 1 of 2 queries" in said[0] and "0001_c3s1_000301_00.jpg" in said[0]


def test_without_drawn_boxes_the_folder_is_named(tmp_path):
    write_images(tmp_path / "Market-1501-v15.09.15", *TREES[Market1501][1].split())
    with pytest.raises(MissingFileError, match="lacks gt_bbox"):
        Market1501(tmp_path, "test", check=False, multi_query=True)
