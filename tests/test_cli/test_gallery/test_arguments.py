"""What the options of `add` and `search` ask for."""

import argparse
import os

import pytest
from helpers.gallery_pictures import write_people

from mmreid_ext.cli.gallery.arguments import (
    add_arguments,
    entries_of,
    search_arguments,
    search_options,
)
from mmreid_ext.errors import UserError


def add(*words):
    parser = argparse.ArgumentParser()
    add_arguments(parser)
    return entries_of(parser.parse_args([str(word) for word in words]))


def search(*words):
    parser = argparse.ArgumentParser()
    search_arguments(parser)
    return search_options(parser.parse_args(["who.jpg", "--model", "m.onnx", *words]))


def test_what_holds_for_all_pictures(tmp_path):
    folder = write_people(tmp_path / "photos", ("lea",), 2)
    given = ("--identity", "eva", "--camera", "door", "--time", "1970-01-01T00:01")
    for one in add(folder, *given):
        assert (one.identity, one.camera, one.time) == ("eva", "door", 60.0)
    for words in (("--identity-from-folder",), ("--folders", "person")):
        assert {one.identity for one in add(folder, *words)} == {"lea"}


def test_times_of_files(tmp_path):
    folder = write_people(tmp_path / "photos", ("lea",), 2)
    os.utime(folder / "lea" / "0.png", (1, 77))
    assert add(folder, "--time-from", "file")[0].time == 77
    assert add(folder, "--time-from", "exif")[0].time is None
    assert add(folder)[0].time is None


def test_files_that_are_gone_have_no_time(tmp_path):
    (tmp_path / "a.csv").write_text("path\ngone.jpg\n")
    assert add(tmp_path / "a.csv", "--time-from", "file")[0].time is None


@pytest.mark.parametrize(
    "words, message",
    [
        (["--identity", " "], "--identity is empty"),
        (["--time", "soon"], "--time: 'soon' is no moment"),
        (["--batch-size", "0"], "--batch-size 0: at least 1"),
        (["--threads", "0"], "--threads 0: at least 1"),
    ],
)
def test_wrong_options_of_add(tmp_path, words, message):
    with pytest.raises(UserError, match=message):
        add(write_people(tmp_path / "photos"), *words)


def test_conditions_of_a_search():
    found = search("--camera", "a", "b", "--since", "10", "--until", "1970-01-01T00:01")
    assert (found["filters"].cameras, found["filters"].not_cameras) == (["a", "b"], None)
    assert (found["filters"].since, found["filters"].until) == (10.0, 60.0)
    assert found["rerank"] is None and search("--rerank")["rerank"].n == 100
    found = search("--not-camera", "a", "--identity", "lea")["filters"]
    assert (found.not_cameras, found.identities, found.since) == (["a"], ["lea"], None)
    with pytest.raises(UserError, match="--top 0: at least 1"):
        search("--top", "0")
