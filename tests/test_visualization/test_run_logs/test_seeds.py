"""Means and bands of seeds, by hand."""

import pytest
from helpers.log_lines import train_line as train

from mmreid_ext.errors import UserError
from mmreid_ext.visualization.run_logs.seeds import curve_of, keys_of, read_group


def test_the_mean_and_the_range_of_three_seeds(seeds):
    group = read_group(seeds)
    assert group.name == "setting" and [run.name for run in group.runs] == [
        "seed_0",
        "seed_1",
        "seed_2",
    ]
    curve = curve_of(group, "loss")
    assert curve.runs == 3 and curve.at.tolist() == [10, 20]
    assert curve.mean.tolist() == [3, 1.5]
    assert curve.low.tolist() == [1, 0.5] and curve.high.tolist() == [6, 3]
    assert curve_of(group, "nothing") is None
    assert keys_of([group]) == ["lr", "time", "loss", "a/mAP", "a/rerank/mAP"]


def test_only_places_that_all_have_are_averaged(write_log):
    write_log("s/seed_0", "T", [train(10, loss=1), train(20, loss=3)])
    folder = write_log("s/seed_1", "T", [train(20, loss=5), train(30, loss=7)])
    curve = curve_of(read_group(folder.parent), "loss")
    assert (curve.at.tolist(), curve.mean.tolist()) == ([20], [4])
    folder = write_log("s/seed_10", "T", [train(40, loss=5)])
    group = read_group(folder.parent)
    assert [run.name for run in group.runs] == ["seed_0", "seed_1", "seed_10"]
    with pytest.raises(UserError, match="logged loss at no common iteration"):
        curve_of(group, "loss")


def test_a_run_alone_is_a_group(seeds):
    group = read_group(seeds / "seed_1")
    curve = curve_of(group, "loss")
    assert (group.name, curve.runs) == ("seed_1", 1)
    assert curve.mean.tolist() == curve.low.tolist() == curve.high.tolist() == [2, 1]
