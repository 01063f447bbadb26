"""Who works where."""

import os

from mmreid_ext.cli.experiments.places import (
    Place,
    available_cores,
    available_gpus,
    describe,
    share_out,
)


def test_one_run_gets_everything():
    assert share_out(1, 4, [0, 1], ["0"], {}) == [Place()]


def test_cores_are_shared_out_without_rest_or_overlap():
    places = share_out(3, 1, range(8), [], {})
    assert [place.cores for place in places] == [(0, 1), (2, 3, 4), (5, 6, 7)]
    assert [place.environment["OMP_NUM_THREADS"] for place in places] == ["2", "3", "3"]
    assert "CUDA_VISIBLE_DEVICES" not in places[0].environment
    assert share_out(2, 2, range(8), [], {})[0].environment["OMP_NUM_THREADS"] == "2"
    assert share_out(2, 1, range(8), [], {"OMP_NUM_THREADS": "1"})[0].environment == {}


def test_more_runs_than_cores_each_have_one():
    places = share_out(3, 1, [4, 5], [], {})
    assert all(len(place.cores) == 1 for place in places)
    assert {core for place in places for core in place.cores} == {4, 5}


def test_each_rank_has_a_gpu_while_there_are_some():
    def gpus(jobs, ranks, names):
        places = share_out(jobs, ranks, range(16), names, {})
        return [place.environment["CUDA_VISIBLE_DEVICES"] for place in places]

    assert gpus(2, 2, ["4", "5", "6", "7"]) == ["4,5", "6,7"]
    assert gpus(3, 1, ["0", "1"]) == ["0", "1", "0"]
    assert gpus(2, 2, ["0"]) == ["0", "0"]
    places = share_out(3, 1, range(6), ["0", "1"], {})
    assert describe(places, 1, ["0", "1"]) == (
        "3 runs side by side, each on 2 cores; GPUs 0, 1, 0 (shared: fewer GPUs than processes)"
    )
    assert describe(share_out(2, 1, [0, 1], [], {}), 1, []).endswith("each on 1 core")


def test_what_this_process_may_use():
    assert 1 <= len(available_cores()) <= (os.cpu_count() or 1)
    assert available_gpus({"CUDA_VISIBLE_DEVICES": "2,GPU-a"}) == ["2", "GPU-a"]
    assert available_gpus({"CUDA_VISIBLE_DEVICES": ""}) == []
    assert available_gpus({"CUDA_VISIBLE_DEVICES": "-1"}) == []
