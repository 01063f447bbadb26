"""Lists of a search as text, CSV and JSON."""

import csv
import json
import os

from mmreid_ext.apis.search_report import (
    Found,
    Hit,
    search_data,
    search_text,
    write_search_csv,
    write_search_json,
)
from mmreid_ext.checkpoint.usage import Threshold

THRESHOLDS = [
    Threshold(0.01, 0.5, 0.9, 5000, "home"),
    Threshold(0.001, 0.7, 0.8, 5000, "home"),
    Threshold(0.0001, None, None, 5000, "home"),
]
FOUND = [
    Found("q.jpg", [Hit(1, "a,b.jpg", 0.75, "lea", "cam 2", "yes, 1 in 1,000")], itself=True),
    Found("empty.jpg", []),
]


def test_the_screen_shows_the_columns_that_are_known():
    text = search_text(FOUND, THRESHOLDS)
    assert "q.jpg (it is in the gallery itself, and left out)\nrank  similarity  same" in text
    assert "1     0.750       yes, 1 in 1,000  lea     cam 2   a,b.jpg" in text
    assert "empty.jpg\nnothing was found" in text and "measured on 'home'" in text
    bare = search_text([Found("q.jpg", [Hit(1, "a.jpg", 0.75, "", "", "")])], [])
    assert bare.splitlines()[1] == "rank  similarity  picture"


def test_files(tmp_path):
    write_search_csv(tmp_path / "f.csv", FOUND)
    with open(tmp_path / "f.csv", newline="", encoding="utf-8") as file:
        (row,) = csv.DictReader(file)
    assert (row["path"], float(row["similarity"]), row["person"]) == ("a,b.jpg", 0.75, "lea")
    write_search_json(tmp_path / "f.json", search_data(FOUND, "m.pth", THRESHOLDS))
    data = json.loads((tmp_path / "f.json").read_text())
    assert data["queries"][0]["hits"][0]["camera"] == "cam 2"
    assert data["thresholds"][2]["similarity"] is None


def test_names_that_are_no_text_and_hold_line_ends(tmp_path):
    names = [os.fsdecode(b"\xff.jpg"), "new\nline\x1b[31m.jpg"]
    hits = [Hit(rank, name, 0.5, "", "", "") for rank, name in enumerate(names, 1)]
    found = [Found("q\n.jpg", hits)]
    text = search_text(found, [])
    assert len(text.splitlines()) == 5 and "new line [31m.jpg" in text and "\x1b" not in text
    text.encode()
    write_search_csv(tmp_path / "f.csv", found)
    assert "\\udcff.jpg" in (tmp_path / "f.csv").read_text(encoding="utf-8")
    write_search_json(tmp_path / "f.json", search_data(found, "m.pth", []))
    data = json.loads((tmp_path / "f.json").read_text())
    assert [hit["path"] for hit in data["queries"][0]["hits"]] == names
