import math

import pytest

from mmreid_ext.evaluation.results.seed_table import (
    format_grid_table,
    format_seed_table,
    seed_summary,
)

RUNS = {
    0: {"a/mAP": 30.0, "a/R1": 50.0, "a/rerank/mAP": 40.0, "a/mAP_std": 1.0},
    2: {"a/mAP": 34.0, "a/R1": 52.0, "a/rerank/mAP": 43.0, "a/mAP_std": 2.0, "a/extra": 1.0},
}


def test_summary():
    summary = seed_summary(RUNS)
    assert summary["a/mAP"] == dict(
        mean=32.0, std=pytest.approx(8**0.5), min=30.0, max=34.0, num_seeds=2
    )
    assert set(summary) == {"a/mAP", "a/R1", "a/rerank/mAP"}, (
        "common metrics, no deviation over splits"
    )
    assert math.isnan(seed_summary({0: RUNS[0]})["a/mAP"]["std"])
    with pytest.raises(ValueError, match="no runs"):
        seed_summary({})


def test_table_shows_every_seed():
    lines = format_seed_table(RUNS).splitlines()
    assert "2 training seeds" in lines[0]
    assert lines[2].split() == ["a", "0", "30.00", "50.00"]
    assert lines[4].split() == ["a", "mean", "±", "std", "32.00", "±", "2.83", "51.00", "±", "1.41"]
    assert lines[7].startswith("a (re-ranked)") and "41.50 ± 2.12" in lines[7]


def test_one_seed_has_no_deviation():
    text = format_seed_table({0: RUNS[0]})
    assert text.splitlines()[0] == "Percent, 1 training seed"
    assert "nan" not in text and "mean" not in text


def test_a_grid_has_a_row_for_each_setting():
    grid = {"lr=1": RUNS, "lr=2": {0: RUNS[0]}, "lr=9": {}}
    text = format_grid_table(grid, {"lr=9": "failed: seed 0"})
    rows = [line.split() for line in text.splitlines()[2:]]
    assert rows[0][:6] == ["a", "lr=1", "2", "32.00", "±", "2.83"]
    assert rows[1][:4] == ["a", "lr=2", "1", "30.00"] and "±" not in rows[1]
    assert rows[2] == ["a", "lr=9", "failed:", "seed", "0"]
    assert len(rows) == 6 and rows[3][:3] == ["a", "(re-ranked)", "lr=1"]
    assert format_grid_table({"lr=9": {}}, {"lr=9": "failed: seed 0"}) == "lr=9: failed: seed 0"
