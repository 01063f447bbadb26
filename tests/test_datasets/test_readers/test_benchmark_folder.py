import re

import pytest
from helpers.fake_images import write_images

from mmreid_ext.datasets.readers.benchmark_folder import BenchmarkFolder
from mmreid_ext.errors import MissingFileError

PATTERN = re.compile(r"(?P<pid>\d+)_c(?P<cam>\d+)")


@pytest.fixture
def benchmark(tmp_path):
    made = BenchmarkFolder()
    made.name, made.data_folder, made.folder_names = "toy", tmp_path, ("Toy-1",)
    made.layouts, made.obtain = (("images",),), "ask its authors."
    made.unparsed, made.empty = [], []
    return made


def test_names_become_records_and_odd_ones_are_noted(benchmark, tmp_path):
    folder = write_images(tmp_path / "Toy-1" / "images", "0007_c2.png", "0003_c1.png", "me.png")
    assert benchmark.find() == tmp_path / "Toy-1"
    expected = [
        dict(img_path=f"{folder}/0003_c1.png", pid=3, camid=0, role="train"),
        dict(img_path=f"{folder}/0007_c2.png", pid=7, camid=1, role="train"),
    ]
    assert list(benchmark.read_folder(folder, "train", PATTERN)) == expected
    assert benchmark.unparsed == [f"{folder}/me.png"] and benchmark.empty == []
    fixed = benchmark.read_folder(folder, "query", PATTERN, camid=5)
    assert [(record["camid"], record["role"]) for record in fixed] == [(5, "query")] * 2


def test_a_pattern_is_matched_against_the_name_alone(benchmark, tmp_path):
    folder = write_images(tmp_path / "0001_c1", "x.png", "0002_c1.png")
    anchored = re.compile("^" + PATTERN.pattern)
    assert [record["pid"] for record in benchmark.read_folder(folder, "train", anchored)] == [2]


def test_empty_and_missing_folders_are_noted(benchmark, tmp_path):
    (tmp_path / "nothing").mkdir()
    for name in ("nothing", "nowhere"):
        assert list(benchmark.read_folder(tmp_path / name, "train", PATTERN)) == []
    assert benchmark.empty == [
        f"{tmp_path}/nothing (it is empty)",
        f"{tmp_path}/nowhere (it is not there)",
    ]
    with pytest.raises(MissingFileError, match="toy was not found.*\n.*Toy-1"):
        benchmark.find()
