"""Files of lists: CSV and JSON say the same, and say what isn't known."""

import csv
import json

import numpy as np
import pytest

from mmreid_ext.errors import UserError
from mmreid_ext.evaluation import EmbeddingSet
from mmreid_ext.visualization.exported_lists.list_files import ListedSet, write_lists
from mmreid_ext.visualization.exported_lists.query_lists import QueryList


@pytest.fixture
def listed():
    images = EmbeddingSet(
        np.eye(5, dtype=np.float32),
        np.array([3, 3, -1, 3, 4]),
        np.array([0, 1, -1, 1, 1]),
        ["query", *["gallery"] * 4],
        ["shop"] * 5,
        ["q ü.jpg", 'a,"b".jpg', "c.jpg", "d.jpg", ""],
        np.array([False, False, False, True, False]),
    )
    lists = [
        QueryList(0, np.array([1, 2, 3, 4]), np.array([0.5, 0.25, 0.125, -1.0]), 1, 2),
        QueryList(0, np.array([], dtype=int), np.array([]), 0, 4),
    ]
    return ListedSet(images, 1, 1, {"type": "X"}, {3: "lea"}, lists)


def test_json(listed, tmp_path):
    out = tmp_path / "r.json"
    counts = write_lists(out, [listed, listed._replace(split=2)], "s", {"features": "f.npz"})
    assert counts == (4, 2)
    data = json.loads(out.read_text("utf-8"))
    assert data["score"] == "s" and data["features"] == "f.npz"
    assert data["sets"][1] == {"set": "shop", "split": 2, "trial": 1, "protocol": {"type": "X"}}
    first, second = data["queries"][:2]
    assert (first["path"], first["person"], first["camera"]) == ("q ü.jpg", "lea", "cam 1")
    assert (first["matches"], first["removed"], second["found"]) == (1, 2, [])
    assert [hit["match"] for hit in first["found"]] == [True, None, False, False]
    assert [hit["person"] for hit in first["found"]] == ["lea", "", "lea", "4"]
    assert [hit["s"] for hit in first["found"]] == [0.5, 0.25, 0.125, -1.0]
    assert first["found"][3]["path"] == "row 4", "an image without a name has its row"


def test_csv_has_the_same(listed, tmp_path):
    out = tmp_path / "r.csv"
    assert write_lists(out, [listed], "cosine_similarity", {}) == (2, 1)
    rows = list(csv.DictReader(out.open(encoding="utf-8", newline="")))
    assert [row["rank"] for row in rows] == ["1", "2", "3", "4"]
    assert [row["match"] for row in rows] == ["1", "", "0", "0"]
    assert rows[0]["path"] == 'a,"b".jpg' and rows[0]["query"] == "q ü.jpg"
    assert rows[0]["query_person"] == "lea" and rows[1]["camera"] == ""
    assert float(rows[2]["cosine_similarity"]) == 0.125 and rows[0]["matches"] == "1"


def test_a_failure_leaves_the_old_file(listed, tmp_path):
    out = tmp_path / "r.csv"
    out.write_text("old")

    def broken():
        yield listed.lists[0]
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        write_lists(out, [listed._replace(lists=broken())], "s", {})
    assert out.read_text() == "old"
    with pytest.raises(UserError, match=r"must end with \.csv or \.json"):
        write_lists(tmp_path / "r.txt", [listed], "s", {})
