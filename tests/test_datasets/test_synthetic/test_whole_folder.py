"""Folders that appear complete, or not at all."""

import json

import cv2
import numpy as np
import pytest

from mmreid_ext.datasets.synthetic.whole_folder import make_whole, write_jpeg


def writer(calls, text="a"):
    def write(folder):
        calls.append(folder)
        (folder / "file").write_text(text)

    return write


def test_a_folder_is_made_once_and_says_how(tmp_path):
    calls = []
    out = tmp_path / "deep" / "set"
    assert make_whole(out, {"seed": 1}, writer(calls)) == out
    assert make_whole(out, {"seed": 1}, writer(calls, "b")) == out
    assert len(calls) == 1 and (out / "file").read_text() == "a"
    assert json.loads((out / "manifest.json").read_text()) == {"seed": 1}
    assert [path.name for path in out.parent.iterdir()] == ["set"]
    with pytest.raises(FileExistsError, match="other settings"):
        make_whole(out, {"seed": 2}, writer(calls))


def test_what_fails_leaves_nothing(tmp_path):
    def write(folder):
        (folder / "file").write_text("half")
        raise RuntimeError("disk")

    with pytest.raises(RuntimeError, match="disk"):
        make_whole(tmp_path / "set", {}, write)
    assert list(tmp_path.iterdir()) == []


def test_a_picture_survives(tmp_path):
    image = np.full((20, 10, 3), (200, 100, 50), np.uint8)
    write_jpeg(tmp_path / "a.jpg", image)
    assert np.abs(cv2.imread(str(tmp_path / "a.jpg")).astype(int) - image).max() <= 4
