"""The look at data sets before a training."""

import pytest
from helpers.fake_images import write_images, write_market
from helpers.shop_list import HEAD, TEST, TRAIN

from mmreid_ext.datasets import CSVDataset, Market1501
from mmreid_ext.datasets.checks import quick_check as module
from mmreid_ext.datasets.checks.quick_check import quick_check
from mmreid_ext.errors import UserError

PIPELINE = [dict(type="mmreid_ext.PackReIDInputs")]


@pytest.fixture
def market(tmp_path):
    folder = write_market(tmp_path)

    def build(mode, **options):
        options = dict(check=False, pipeline=PIPELINE) | options
        return Market1501(tmp_path, mode, **options)

    return folder, build


def test_a_sound_set(market):
    _, build = market
    found = quick_check(build("train"), [build("test")])
    assert (found.looked, found.missing, found.faults, found.warnings) == (25, 0, (), ())
    assert found.line == (
        "train market1501: 12 images, 3 people, 2 cameras | "
        "test market1501: 13 images, 2 people, 2 cameras | all files there, 25 looked into"
    )
    found.require_no_fault()


@pytest.mark.parametrize("part", ["bounding_box_train", "query"])
@pytest.mark.parametrize("content", [b"", b"version https://git-lfs", b"<!doctype html>"])
def test_no_pictures_are_faults(market, part, content):
    folder, build = market
    broken = sorted((folder / part).iterdir())[0]
    broken.write_bytes(content)
    found = quick_check(build("train"), [build("test")])
    assert len(found.faults) == 1 and broken.name in found.faults[0]
    assert ", 1 warning" in found.line
    with pytest.raises(UserError, match="are no pictures"):
        found.require_no_fault()


def test_what_training_replaces_is_a_warning(market):
    folder, build = market
    sorted((folder / "bounding_box_train").iterdir())[0].write_bytes(b"")
    train = build("train", on_corrupt="skip")
    sorted((folder / "bounding_box_train").iterdir())[1].unlink()
    found = quick_check(train, [])
    assert found.faults == () and "are no pictures" in found.warnings[0]
    assert "1 file missing" in found.line


def test_unknown_formats_are_a_warning(market):
    folder, build = market
    sorted((folder / "query").iterdir())[0].write_bytes(b"what is this")
    found = quick_check(build("train"), [build("test")])
    assert found.faults == () and "no known picture format" in found.warnings[0]


def test_files_are_spread_over_a_large_set_and_few(market, monkeypatch):
    folder, build = market
    monkeypatch.setattr(module, "_LOOKED_INTO", 2)
    for place in (0, -1):
        sorted((folder / "bounding_box_train").iterdir())[place].write_bytes(b"")
    found = quick_check(build("train"), [])
    assert found.looked == 2 and "2 of 2 files" in found.faults[0]


def test_a_slow_disk_is_not_waited_for(market, monkeypatch):
    monkeypatch.setattr(module, "_SECONDS", -1)
    assert quick_check(market[1]("train"), []).looked == 0


def test_other_loaders_and_bare_records_are_left_alone(market):
    folder, build = market
    sorted((folder / "query").iterdir())[0].write_bytes(b"")
    assert quick_check(build("test", pipeline=()), []).looked == 0
    test = build("test")
    test.loader = lambda record: record
    assert quick_check(test, []).looked == 0


def test_images_that_are_trained_on_are_a_warning(market):
    _, build = market
    found = quick_check(build("train", combine_all=True), [build("test")])
    assert "12 images of the test set" in found.warnings[0]


def test_names_in_two_lists_are_a_warning(tmp_path):
    def build(folder, rows, mode):
        write_images(tmp_path / folder, "q.jpg", "g.jpg", "a.jpg", "b.jpg")
        (tmp_path / folder / "list.csv").write_text(HEAD + rows)
        return CSVDataset(f"{folder}/list.csv", tmp_path, mode=mode)

    train = build("one", TRAIN.replace(",8,", ",lea,").replace(",9,", ",tom,"), "train")
    found = quick_check(train, [build("two", TEST.replace(",3,", ",lea,"), "test")])
    assert len(found.warnings) == 1 and "1 name of the training set" in found.warnings[0]
    assert "lea" in found.warnings[0]
    assert quick_check(train, [build("three", TEST.replace(",3,", ",ann,"), "test")]).warnings == ()
    assert quick_check(train, [build("four", TEST, "test")]).warnings == ()
