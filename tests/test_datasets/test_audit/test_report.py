"""A check from end to end: a sound set is sound, and every fault is told from the others."""

import json

import numpy as np
from helpers.drawn_shop import found
from PIL import Image

from mmreid_ext.datasets.audit.findings import notes
from mmreid_ext.datasets.audit.read_set import SourceSet
from mmreid_ext.datasets.audit.report import audit
from mmreid_ext.datasets.audit.sources import sets_of_path
from mmreid_ext.datasets.audit.text import report_lines
from mmreid_ext.visualization.dataset_page import save_dataset_page


def test_nothing_is_wrong_with_a_sound_list(shop):
    report = shop.audit()
    assert (report.findings, report.faults, report.remarks, report.is_complete) == (
        [],
        [],
        [],
        True,
    )
    assert [(p["part"], p["images"], p["people"]) for p in report.parts()] == [
        ("train", 16, 4),
        ("query", 8, 4),
        ("gallery", 8, 4),
    ]
    assert report.parts()[0]["images_per_person"] == [4] * 4
    assert report.parts()[0]["cameras"] == {1: 8, 2: 8}


def test_all_faults_in_one_report_the_worst_first(shop):
    shop.add("empty.jpg", b"", "ann", "1", "train")
    shop.add("gone.jpg", None, "ann", "1", "train")
    shop.add("copy.jpg", shop.path("train"), "joe", "1", "train")
    shop.add("blank.png", Image.new("RGB", (64, 128)), "ann", "1", "train")
    shop.rows.append(["x.jpg", "ann", "1", "trian"])
    report = shop.audit()
    assert list(found(report)) == ["wrong_row", "missing", "unreadable", "two_people", "blank"]
    assert len(report.faults) == 4 and len(report.remarks) == 1


def test_a_set_without_a_single_record_is_reported(tmp_path):
    source = SourceSet("nothing", [], "x", findings=notes("unreadable_set", ["gone"]))
    report = audit("x", [source], embed=lambda table, rows: (np.zeros((0, 4)), rows))
    assert list(found(report)) == ["unreadable_set"] and report.parts() == []
    assert "FAULT  1 data set that can't be read" in list(report_lines(report))
    assert "gone" in save_dataset_page(tmp_path / "page.html", report).read_text()


def test_the_json_form_holds_every_occurrence(shop):
    for number in range(30):
        shop.add(f"{number}.jpg", b"", "ann", "1", "train")
    data = json.loads(json.dumps(shop.audit().as_json()))
    assert (data["faults"], data["remarks"], data["complete"]) == (30, 0, True)
    (finding,) = data["findings"]
    assert (finding["kind"], finding["level"]) == ("unreadable", "fault")
    first = finding["occurrences"][0]
    assert first["note"] == "empty" and first["pictures"][0]["path"].endswith("0.jpg")
    assert first["pictures"][0]["person"] == "ann" and first["pictures"][0]["camera"] == 1


def test_embeddings_are_asked_for_readable_pictures_of_known_people_once(shop):
    shop.add("empty.jpg", b"", "ann", "1", "train")
    shop.add("again.jpg", shop.path("train"), shop.person("train"), "1", "train")
    asked = []

    def embed(table, rows):
        asked.extend(rows.tolist())
        return np.eye(8, dtype=np.float32)[table.people[rows]], rows

    report = shop.audit(embed=embed)
    assert asked == list(range(32))
    assert list(found(report)) == ["unreadable", "repeated"]


def test_boxes_are_named(shop):
    path = shop.write()
    lines = path.read_text().splitlines()
    rows = [
        lines[0] + ",x,y,w,h",
        *(f"{line},0,0,{30 + k},100" for k, line in enumerate(lines[1:9])),
    ]
    path.write_text("\n".join(rows) + "\n")
    report = audit("x", sets_of_path(path), workers=1)
    assert report.image_name(0).endswith(".jpg#xywh=0,0,30,100")
    assert report.scan.sizes[:3].tolist() == [[30, 100], [31, 100], [32, 100]]
