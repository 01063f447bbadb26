from dataclasses import replace
from pathlib import Path

import pytest

from mmreid_ext.datasets.own_images.listing import Listing, OwnImage
from mmreid_ext.datasets.own_images.plan import Plan
from mmreid_ext.datasets.own_images.prepare import Prepared
from mmreid_ext.datasets.own_images.report import report

PLAN = Plan("r18", 2, 4, 2, 4, 300, from_scratch=False)


@pytest.fixture
def prepared():
    images = [
        OwnImage(Path(f"{n}.jpg"), person, camera, role)
        for n, (person, camera, role) in enumerate(
            [("lea", "x", "train"), ("lea", "y", "train"), ("tom", "x", "train"),
             ("ada", "x", "query"), ("ada", "y", "gallery"), ("ada", "", "gallery")]
        )
    ]  # fmt: skip
    found = Listing("folders", "one folder per person", images)
    found.leave_out("empty folders", ["bob"])
    found.notes.append("A note.")
    return Prepared(found, images, [(64, 128)] * 6, PLAN, None, Path("my people"))


def test_what_the_user_reads(prepared):
    lines = report(prepared, on_gpu=False).splitlines()
    assert lines[:7] == [
        "pictures    one folder per person",
        "            1 left out, empty folders: bob",
        "people      3, 6 pictures; 1 to 3 of each, mostly 2",
        "cameras     2, 2 to 3 pictures each; of 1 pictures not known",
        "sizes       all 64 x 128 pixels (width x height)",
        "train       2 people, 3 pictures",
        "test        1 people, 3 pictures: 1 ask, 2 are searched; "
        "a person is to be found in another camera",
    ]
    assert "People with one picture (1) are trained on" in lines[8]
    assert "300 iterations of 8 pictures (2 people x 4), very roughly" in lines[9]
    assert lines[-1] == "next        python tools/train.py 'my people/config.py'"


def test_without_cameras_and_without_a_test(prepared):
    images = [replace(image, camera="", split="train") for image in prepared.images]
    text = report(replace(prepared, images=images, protocol="no_camera"), on_gpu=True)
    assert "cameras     not known" in text and "test        nobody" in text
    assert "less on this GPU" in text


def test_odd_pictures_are_told(prepared):
    wide = replace(prepared, sizes=[(64, 32)] * 3 + [(640, 480)] * 3, protocol="no_camera")
    wide.found.is_track = True
    text = report(wide, on_gpu=False)
    assert "mostly 352 x 256 pixels (width x height), from 64 x 32 to 640 x 480" in text
    assert "wider than high" in text and "same tracks" in text and "Too few people" in text


@pytest.mark.parametrize(
    "iterations, shown", [(1, "a minute"), (3000, "minutes"), (30000, "hours")]
)
def test_durations(prepared, iterations, shown):
    text = report(replace(prepared, plan=replace(PLAN, iterations=iterations * 10)), on_gpu=False)
    assert shown in text
