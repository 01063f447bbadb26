import json

import pytest
from helpers.paths import ROOT
from helpers.tools import load_tool


@pytest.fixture(scope="module")
def make_splits():
    return load_tool("converters/make_splits")


def test_shipped_files_are_what_the_script_makes(make_splits):
    for name in make_splits.BENCHMARKS:
        path = ROOT / "mmreid_ext" / "protocols" / "splits" / f"{name}.json"
        assert json.loads(path.read_text()) == make_splits.make(name, num_splits=10, seed=0)


def test_splits_depend_on_the_seed_and_are_uniform(make_splits):
    assert make_splits.make("viper", 10, 0) != make_splits.make("viper", 10, 1)
    counts = [0] * 200
    for split in make_splits.make("prid2011", 400, 0)["splits"]:
        assert split == sorted(set(split)) and len(split) == 100
        for position in split:
            counts[position] += 1
    # binomial(400, 1/2): standard deviation 10; five of them
    assert min(counts) > 150 and max(counts) < 250
